import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type Client } from '../../../core/client/index.js';
import { ClientWorld, recordingLogger } from './client-world.js';

function statesOf(client: Client): string[] {
  const states: string[] = [];
  client.onState((state, { epoch }) => states.push(`${state} ${epoch}`));
  return states;
}

test('what a listener throws is logged and keeps nobody else from being told', async () => {
  const world = new ClientWorld();
  const lines: string[] = [];
  const client = world.client({ logger: recordingLogger(lines) });
  client.onState(() => {
    throw new Error('listener');
  });
  const states = statesOf(client);
  await world.until(() => client.state === 'connected');
  assert.equal(states, ['connected 1']);
  assert.ok(lines.includes('error: a listener of the connection state threw'));
  await world.close();
});

test('every listener hears every change in order, also when one of them causes the next', async () => {
  const world = new ClientWorld();
  const client = world.client();
  client.onState((state) => {
    if (state === 'connected') void client.close();
  });
  const states = statesOf(client);
  await world.until(() => client.state === 'closed');
  assert.equal(states, ['connected 1', 'closed 1']);
  await world.close();
});

test('the stream of states begins with the present one and ends after closed', async () => {
  const world = new ClientWorld();
  const client = world.client();
  const seen: string[] = [];
  const reading = (async () => {
    for await (const state of client.states()) seen.push(state);
  })();
  await world.get(client.connected());
  const states = statesOf(client);
  world.server.link.cut();
  await world.until(() => states.length === 2);
  await world.close();
  await world.get(reading);
  assert.equal(seen, ['connecting', 'connected', 'suspended', 'connected', 'closed']);
});

test('the stream of states ends when its signal aborts', async () => {
  const world = new ClientWorld();
  const client = await world.connected();
  const stop = new AbortController();
  const seen: string[] = [];
  const reading = (async () => {
    for await (const state of client.states({ signal: stop.signal })) seen.push(state);
  })();
  await world.clock.settle();
  stop.abort();
  await world.get(reading);
  assert.equal(seen, ['connected']);
  await world.close();
});

test('waiting to be connected can be given up', async () => {
  const world = new ClientWorld();
  world.server.down();
  const client = world.client();
  const stop = new AbortController();
  const waiting = world.failure(client.connected({ signal: stop.signal }));
  stop.abort(new Error('enough'));
  assert.match(((await waiting) as Error).message, 'enough');
  await world.close();
});

test.run();
