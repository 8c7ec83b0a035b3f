"""The media plane: forwards the audio and video of a consult between browsers without decoding any of it."""
