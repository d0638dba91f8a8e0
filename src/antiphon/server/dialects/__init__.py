"""How dialects are served: sockets on both ways, HTTP routes, listeners and pages of their own."""
