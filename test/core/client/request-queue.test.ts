/** The queue of requests by itself: its bounds, its order, and what becomes of each request when a link closes. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import {
  ConnectionLossError,
  OutcomeUnknownError,
  RequestQueueFullError,
} from '../../../core/client/index.js';
import type { PendingRequest, RequestSpec } from '../../../core/client/pending-request.js';
import { RequestQueue } from '../../../core/client/request-queue.js';
import type { ServerLink } from '../../../core/client/server-link.js';
import { OpCode } from '../../../core/protocol/index.js';
import { censusOf } from '../census.js';

type Rule = RequestSpec<typeof OpCode.setData, void>['rule'];

const UNBOUNDED = { maxRequests: Infinity, maxBytes: Infinity };
/** What a request of 1,000 bytes of data to `/a` counts: 200 besides its path, its version and its data. */
const WEIGHT = 200 + 4 + 8 + 1000;
const CAUSE = new ConnectionLossError();

function spec(rule: Rule): RequestSpec<typeof OpCode.setData, void> {
  const body = { path: '/a', data: new Uint8Array(1000), version: -1 };
  return { op: OpCode.setData, body, rule, operation: 'setData', path: '/a', result: () => undefined };
}

/** A link that takes so many requests, and says which of them had left when it closed. */
class FakeLink {
  readonly sent: PendingRequest[] = [];
  unsent = 0;
  room: number;

  constructor(room = Infinity) {
    this.room = room;
  }

  get hasRoom(): boolean {
    return this.sent.length < this.room;
  }

  send(request: PendingRequest): void {
    this.sent.push(request);
  }

  takeInFlight(): { sent: PendingRequest[]; unsent: PendingRequest[] } {
    const open = this.sent.filter(({ isSettled }) => !isSettled);
    const unsent = open.splice(open.length - this.unsent);
    return { sent: open, unsent };
  }
}

function attached(queue: RequestQueue, link = new FakeLink()): FakeLink {
  queue.attach(link as unknown as ServerLink);
  return link;
}

function detach(queue: RequestQueue, link: FakeLink): void {
  queue.detach(link as unknown as ServerLink, CAUSE);
}

/** Adds a request and keeps what became of it. */
function add(queue: RequestQueue, rule: Rule): { request: PendingRequest; outcome: () => unknown } {
  const request = queue.add(spec(rule)) as unknown as PendingRequest;
  let outcome: unknown = 'pending';
  request.promise.then(
    () => (outcome = 'resolved'),
    (error: unknown) => (outcome = error),
  );
  return { request, outcome: () => outcome };
}

test('a queue takes as many requests as it may hold, and refuses the next by name until one is settled', () => {
  const queue = new RequestQueue({ maxRequests: 3, maxBytes: Infinity });
  const requests = [1, 2, 3].map(() => add(queue, 'resend'));
  assert.throws(
    () => queue.add(spec('resend')),
    (error: unknown) => error instanceof RequestQueueFullError,
  );
  assert.is(queue.length, 3);
  requests[1]!.request.reject(CAUSE);
  assert.is(queue.length, 2);
  add(queue, 'resend');
});

for (const [maxBytes, taken] of [
  [3 * WEIGHT - 1, 2],
  [3 * WEIGHT, 3],
  [3 * WEIGHT + 1, 3],
  [1, 1],
] as const)
  test(`a queue of ${maxBytes} bytes takes ${taken} requests of ${WEIGHT}, and one more when they are settled`, () => {
    const queue = new RequestQueue({ maxRequests: Infinity, maxBytes });
    const requests = Array.from({ length: taken }, () => add(queue, 'resend'));
    assert.throws(
      () => queue.add(spec('resend')),
      (error: unknown) => error instanceof RequestQueueFullError,
    );
    for (const { request } of requests) request.reject(CAUSE);
    for (let count = 0; count < taken; count++) add(queue, 'resend');
  });

test("a full queue takes the client's own requests", () => {
  const queue = new RequestQueue({ maxRequests: 1, maxBytes: 1 });
  add(queue, 'resend');
  add(queue, 'drop');
  assert.is(queue.length, 2);
});

test('requests leave in their order, as far as the link has room, and those that were given up do not', () => {
  const queue = new RequestQueue(UNBOUNDED);
  const before = [1, 2, 3].map(() => add(queue, 'resend').request);
  before[1]!.reject(CAUSE);
  const link = attached(queue, new FakeLink(1));
  const later = add(queue, 'resend').request;
  assert.equal(link.sent, [before[0]]);
  link.room = Infinity;
  const last = add(queue, 'resend').request;
  assert.equal(link.sent, [before[0]], 'nothing passes those that wait');
  queue.pump();
  assert.equal(link.sent, [before[0], before[2], later, last]);
});

const KEPT = 'pending';
const OUTCOMES: readonly (readonly [Rule, 'sent' | 'unsent' | 'waiting', unknown])[] = [
  ['resend', 'sent', KEPT],
  ['resend', 'unsent', KEPT],
  ['resend', 'waiting', KEPT],
  ['lookup', 'sent', KEPT],
  ['lookup', 'unsent', KEPT],
  ['lookup', 'waiting', KEPT],
  ['unknown', 'sent', OutcomeUnknownError],
  ['unknown', 'unsent', KEPT],
  ['unknown', 'waiting', KEPT],
  ['drop', 'sent', ConnectionLossError],
  ['drop', 'unsent', ConnectionLossError],
  ['drop', 'waiting', ConnectionLossError],
];

for (const [rule, place, expected] of OUTCOMES)
  test(`a request with the rule ${rule} that was ${place} when its link closed ${expected === KEPT ? 'waits' : 'rejects'}`, async () => {
    const queue = new RequestQueue(UNBOUNDED);
    const link = attached(queue, new FakeLink(place === 'waiting' ? 0 : Infinity));
    const { request, outcome } = add(queue, rule);
    if (place === 'unsent') link.unsent = 1;
    detach(queue, link);
    await Promise.resolve();
    await Promise.resolve();
    if (expected === KEPT) assert.is(outcome(), KEPT);
    else assert.instance(outcome(), expected);
    assert.equal(queue.inDoubt(), rule === 'lookup' && place === 'sent' ? [request] : []);
    assert.equal(attached(queue).sent, expected === KEPT ? [request] : []);
  });

for (const [rule, Failure] of [
  ['resend', ConnectionLossError],
  ['lookup', OutcomeUnknownError],
] as const)
  test(`a request with the rule ${rule} under which ten connections broke is given up`, async () => {
    const queue = new RequestQueue(UNBOUNDED);
    const { outcome } = add(queue, rule);
    for (let broken = 1; broken <= 10; broken++) {
      assert.is(outcome(), KEPT, `after ${broken - 1}`);
      detach(queue, attached(queue));
      await Promise.resolve();
      await Promise.resolve();
    }
    assert.instance(outcome(), Failure);
    assert.is(queue.length, 0);
  });

test('a request that only waited while connections broke is not given up', async () => {
  const queue = new RequestQueue(UNBOUNDED);
  const { outcome } = add(queue, 'resend');
  for (let broken = 0; broken < 20; broken++) detach(queue, attached(queue, new FakeLink(0)));
  await Promise.resolve();
  assert.is(outcome(), KEPT);
});

test('requests that wait and were given up in a large number are thrown out', () => {
  const queue = new RequestQueue(UNBOUNDED);
  const waiting = (): number => censusOf(queue).get('RequestQueue.#waiting.#length')!;
  const requests = Array.from({ length: 400 }, () => add(queue, 'resend').request);
  for (const request of requests.slice(0, 255)) request.reject(CAUSE);
  assert.is(waiting(), 400);
  requests[255]!.reject(CAUSE);
  assert.is(waiting(), 144);
  assert.is(queue.drain().length, 144);
  assert.is(waiting(), 0);
});

test.run();
