export { LiveProvider, useConnection, useLive } from "./provider.js";
export type { LiveProviderProps } from "./provider.js";
export { useChannel } from "./useChannel.js";
export type { ChannelView, UseChannelOptions } from "./useChannel.js";
export { useChannelState } from "./useChannelState.js";
