/** Coordination primitives over the client's public door. */
export {};
