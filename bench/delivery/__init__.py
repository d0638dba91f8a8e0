"""How fast events reach many sockets, beside other servers: `python -m bench.delivery`."""
