/** The session client; runs in Node and in a browser. */
export type * from './client.js';
