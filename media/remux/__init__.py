"""Makes seekable files for a player out of the packets of a recording. Nothing is decoded, nothing encoded.

`remuxing.remux` reads the recording twice: once to learn the clocks of everybody who sent (`survey`,
`timeline`), once to write one file for each participant and for each shared screen (`view`). The packets
were made by guests, so every byte of them may be a lie: what makes no sense is left out, and nothing here
raises because of it.
"""
