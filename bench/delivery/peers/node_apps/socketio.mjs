import { serve } from "./rooms.mjs";

serve();
