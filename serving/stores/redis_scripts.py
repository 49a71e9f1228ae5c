"""What is done in the Redis server itself, in one step for all who read and write."""

from __future__ import annotations

# Lua has doubles only: each 64-bit part is compared as two numbers of 32 bits, which are exact.
UPSERT = """
local fields, stored, changed, count = {}, {}, {}, 0
for i = 2, #ARGV, 2 do
  fields[#fields + 1] = ARGV[i]
end
for i, old in ipairs(redis.call('HMGET', KEYS[1], unpack(fields))) do
  stored[fields[i]] = old
end
for i = 2, #ARGV, 2 do
  local old, newer = stored[ARGV[i]], true
  if old then
    newer = false
    local a = { struct.unpack('>I4I4I4I4I4I4', ARGV[i + 1]) }
    local b = { struct.unpack('>I4I4I4I4I4I4', old) }
    for j = 1, 6 do
      if a[j] ~= b[j] then
        newer = a[j] > b[j]
        break
      end
    end
  end
  if newer then
    stored[ARGV[i]] = ARGV[i + 1]
    changed[#changed + 1] = ARGV[i]
    changed[#changed + 1] = ARGV[i + 1]
    count = count + 1
  end
end
if count > 0 then
  redis.call('HSET', KEYS[1], unpack(changed))
  redis.call('SET', KEYS[2], ARGV[1])
end
return count
"""

# Goes through a part of the fields and deletes those with an event before the bound, as two numbers of 32 bits.
EXPIRE = """
local high, low = tonumber(ARGV[2]), tonumber(ARGV[3])
local found = redis.call('HSCAN', KEYS[1], ARGV[1], 'COUNT', ARGV[4])
local old = {}
for i = 1, #found[2], 2 do
  local a, b = struct.unpack('>I4I4', found[2][i + 1])
  if a < high or (a == high and b < low) then
    old[#old + 1] = found[2][i]
  end
end
if #old > 0 then
  redis.call('HDEL', KEYS[1], unpack(old))
  redis.call('SET', KEYS[3], ARGV[6])
  local bound = redis.call('GET', KEYS[2])
  if not bound or tonumber(bound) < tonumber(ARGV[5]) then
    redis.call('SET', KEYS[2], ARGV[5])
  end
end
return { found[1], #old }
"""
