"""The vault: the only process that can open recordings. It has the clinic's keys; it has no database.

* `keys`: the clinic's key pairs, the public list the server seals with, the vault's own secret
* `wraps`: data keys wrapped again, after a key was rotated
* `source`: where sealed parts lie
* `opening`: opens parts and says what is whole, torn, tampered with or missing
* `sealed_file`: a file with random access that is never plain on a disk
* `preparing`: makes the views of a recording; runs in a process of its own
* `jobs`, `http`, `run`: the process itself and what it answers on its socket
* `client`, `child`: how the server talks to it, and keeps it running
"""
