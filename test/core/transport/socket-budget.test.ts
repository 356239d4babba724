import { EventEmitter } from 'node:events';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { SocketBudget } from '../../../core/transport/listener.js';

/** A socket that closes a turn after it was destroyed, as those of Node do. */
class Socket extends EventEmitter {
  isDestroyed = false;

  destroy(): void {
    this.isDestroyed = true;
  }

  close(): void {
    this.emit('close');
  }
}

test('silent sockets beyond their allowance are closed, the oldest of the heaviest address first', () => {
  const budget = new SocketBudget({ total: 10, unproven: 3, onceRead: (task) => task() });
  const [a1, b1, a2, b2, c1] = [new Socket(), new Socket(), new Socket(), new Socket(), new Socket()];
  for (const [socket, address] of [
    [a1, 'a'],
    [b1, 'b'],
    [a2, 'a'],
  ] as const)
    budget.admit(socket, address);

  assert.ok(budget.admit(b2, 'b'));
  assert.ok(a1.isDestroyed);
  assert.not(b1.isDestroyed);

  assert.ok(budget.admit(c1, 'c'));
  assert.ok(b1.isDestroyed, 'b had more silent sockets than a');
  assert.not(a2.isDestroyed);
  assert.is(budget.unprovenSize, 3);
});

test('many sockets that connect at once are all kept if they make a request when they are read', () => {
  const due: (() => void)[] = [];
  const budget = new SocketBudget({ total: 600, unproven: 256, onceRead: (task) => void due.push(task) });
  const sockets = Array.from({ length: 500 }, () => new Socket());
  const admitted = sockets.map((socket) => budget.admit(socket, 'a')!);
  assert.is(due.length, 1);
  // All but 300 of them have something to say.
  for (const one of admitted.slice(300)) one.proved();
  due[0]!();
  assert.is(budget.unprovenSize, 256);
  assert.equal(
    sockets.map(({ isDestroyed }) => isDestroyed),
    sockets.map((_, index) => index < 44),
  );
});

test('a socket that has made a request is never closed for another', () => {
  const budget = new SocketBudget({ total: 2, unproven: 1 });
  const [client, other, late] = [new Socket(), new Socket(), new Socket()];
  budget.admit(client, 'a')!.proved();
  budget.admit(other, 'a')!.proved();

  assert.is(budget.admit(late, 'b'), null);
  assert.ok(late.isDestroyed);
  assert.not(client.isDestroyed);
  assert.not(other.isDestroyed);
});

test('a silent socket makes room for a new one when all sockets are taken', () => {
  const budget = new SocketBudget({ total: 2, unproven: 2 });
  const [client, silent, late] = [new Socket(), new Socket(), new Socket()];
  budget.admit(client, 'a')!.proved();
  budget.admit(silent, 'a');

  assert.ok(budget.admit(late, 'b'));
  assert.ok(silent.isDestroyed);
});

test('an address at its limit is refused, whatever its sockets do', () => {
  const budget = new SocketBudget({ total: 10, unproven: 10, perAddress: 2 });
  budget.admit(new Socket(), 'a');
  budget.admit(new Socket(), 'a')!.proved();
  const [third, other] = [new Socket(), new Socket()];

  assert.is(budget.admit(third, 'a'), null);
  assert.ok(budget.admit(other, 'b'));
});

test('every socket is counted until it closes, once', () => {
  const budget = new SocketBudget({ total: 3, unproven: 2, perAddress: 3 });
  const sockets = Array.from({ length: 3 }, () => new Socket());
  const admitted = sockets.map((socket) => budget.admit(socket, 'a')!);
  admitted[2]!.proved();
  admitted[2]!.proved();

  for (const socket of sockets) socket.close();
  for (const socket of sockets) socket.close();

  assert.is(budget.size, 0);
  assert.is(budget.unprovenSize, 0);
  for (const _ of sockets) assert.ok(budget.admit(new Socket(), 'a'));
});

test.run();
