/** What peers say to each other. */
export type PeerMessage = { readonly type: 'ping' };
