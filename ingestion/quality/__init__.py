"""How good the values of all groups are: day by day, what is wrong now, and what has drifted most."""
