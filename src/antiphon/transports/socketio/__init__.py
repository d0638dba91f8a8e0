"""Socket.IO revision 5 on Engine.IO revision 4: long-polling, WebSocket and the upgrade between them.

Sources: the Engine.IO protocol, revision 4, and the Socket.IO protocol, revision 5, as their authors describe them.
"""
