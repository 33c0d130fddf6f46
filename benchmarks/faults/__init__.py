"""What the product promises when things go wrong, tried: `make faults`.

mixed    every kind of fault, mixed and seeded: each paper ends right, or failed with its reason
kills    `kill -9` at seeded moments of one run, continued each time; two processes at once
stops    a refused key, a spent quota, a full disk, a damaged store: one sentence, nothing lost
keys     a key that servers quote, and what is left of it afterwards: nothing
"""
