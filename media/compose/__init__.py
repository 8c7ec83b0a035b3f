"""Makes one file of all views of a recording: a grid of pictures with names, and all voices together.

It decodes what guests sent, which is the most dangerous thing done with a recording. So it is a process of
its own, `python -m media.compose`, without keys, network or files: it has one socket to whoever started it,
asks there for pieces of the views and gives back pieces of the file it makes.
"""
