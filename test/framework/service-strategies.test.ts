import { test } from 'uvu';
import * as assert from 'uvu/assert';
import {
  leastLoaded,
  nearestZone,
  random,
  roundRobin,
  sticky,
  weighted,
  type Choice,
  type ServiceInstance,
  type Strategy,
} from '../../framework/index.js';
import { SeededRandom } from '../../core/runtime/index.js';

interface Place {
  readonly zone?: string;
  readonly weight?: number;
}

function instance(id: string, payload: Place | null = null): ServiceInstance<Place> {
  return {
    name: 'orders',
    id,
    address: 'localhost',
    port: 80,
    sslPort: null,
    payload,
    registrationTimeUTC: 0,
    serviceType: 'DYNAMIC',
    uriSpec: null,
    enabled: true,
  };
}

const chance = new SeededRandom(5);

function choice(options: Partial<Choice> = {}): Choice {
  return { chance: () => chance.next(), load: () => 0, key: undefined, ...options };
}

/** How often each instance is chosen in so many calls. */
function counts(
  strategy: Strategy<Place>,
  instances: readonly ServiceInstance<Place>[],
  calls: number,
  options: Partial<Choice> = {},
): Record<string, number> {
  const found: Record<string, number> = Object.fromEntries(instances.map(({ id }) => [id, 0]));
  for (let call = 0; call < calls; call++) found[strategy(instances, choice(options)).id]!++;
  return found;
}

const three = [instance('a'), instance('b'), instance('c')];

test('round robin takes each in turn', () => {
  assert.equal(counts(roundRobin(), three, 9), { a: 3, b: 3, c: 3 });
});

test('random takes all of them with about the same chance', () => {
  for (const count of Object.values(counts(random(), three, 3000))) assert.ok(count > 900 && count < 1100);
});

test('least loaded prefers who is less busy, never the busiest of two, and also works with one', () => {
  const load = ({ id }: { readonly id: string }): number => ({ a: 0, b: 5, c: 9 })[id] ?? 0;
  const found = counts(leastLoaded(), three, 900, { load });
  assert.is(found['c'], 0);
  assert.ok(found['a']! > found['b']! && found['b']! > 0);
  assert.equal(counts(leastLoaded(), [instance('a')], 5), { a: 5 });
});

test('weighted takes each as often as its weight says, and anybody when all weigh nothing', () => {
  const instances = [
    instance('a', { weight: 3 }),
    instance('b'),
    instance('c', { weight: 0 }),
    instance('d', { weight: -1 }),
  ];
  const found = counts(weighted(), instances, 4000);
  assert.ok(found['a']! > 2800 && found['a']! < 3200);
  assert.equal([found['c'], found['d']], [0, 0]);
  const nothing = counts(
    weighted(() => 0),
    three,
    300,
  );
  assert.ok(Object.values(nothing).every((count) => count > 50));
});

test('sticky gives a key the same instance, and moves only the keys of one that goes', () => {
  const keys = Array.from({ length: 600 }, (_, index) => `customer-${index}`);
  const owner = (key: string, instances: readonly ServiceInstance<Place>[]): string =>
    sticky<Place>()(instances, choice({ key })).id;
  const before = new Map(keys.map((key) => [key, owner(key, three)]));
  const share = (id: string): number => [...before.values()].filter((one) => one === id).length;
  for (const id of ['a', 'b', 'c']) assert.ok(share(id) > 150, `${id} has ${share(id)} keys of 600`);
  const rest = three.filter(({ id }) => id !== 'b');
  for (const key of keys) if (before.get(key) !== 'b') assert.is(owner(key, rest), before.get(key));
});

test('nearest zone stays in the own zone as long as it can', () => {
  const instances = [
    instance('a', { zone: 'x' }),
    instance('b', { zone: 'y' }),
    instance('c', { zone: 'x' }),
  ];
  assert.equal(counts(nearestZone('x'), instances, 4), { a: 2, b: 0, c: 2 });
  assert.equal(counts(nearestZone('z'), instances, 6), { a: 2, b: 2, c: 2 });
});

test.run();
