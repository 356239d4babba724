import * as assert from 'uvu/assert';
import type { ClientWorld } from './client-world.js';
import type { Incoming } from './scripted-server.js';

/** What the promise rejects with; it must. */
export const failureOf = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    (value) => assert.unreachable(`it was expected to reject, but gave ${String(value)}`),
    (error: unknown) => error,
  );

/** Makes the server swallow requests of one kind, unanswered, until `release` is called. */
export function swallow(
  world: ClientWorld,
  wanted: (request: Incoming) => boolean,
): { readonly release: () => void } {
  let isOn = true;
  for (const server of world.servers) {
    server.respond = (request) => (isOn && wanted(request) ? null : undefined);
  }
  return { release: () => void (isOn = false) };
}

/** Their operations, in order. */
export const ops = (requests: readonly Incoming[]): number[] => requests.map(({ op }) => op);
