"""Online reads as the clients of Feast ask for them: the JSON of its feature server, about features of this store."""
