"""How bytes travel: transports carry what sessions and codecs made, and know nothing of its meaning."""
