"""The native protocol, version 1: JSON-RPC 2.0 over WebSocket, and its events over SSE. See docs/protocol.md."""
