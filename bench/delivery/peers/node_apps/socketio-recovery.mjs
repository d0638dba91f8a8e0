// Socket.IO that lets a client have what it missed within two minutes.

import { serve } from "./rooms.mjs";

serve({ connectionStateRecovery: { maxDisconnectionDuration: 120_000 } });
