import * as fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { checkLinearizability, type HistoryOperation, type SequentialModel } from './linearizability.js';

type Input = { readonly write: number } | 'read';
type Operation = HistoryOperation<Input, number>;

/** A write returns what it wrote. */
const register: SequentialModel<number, Input, number> = {
  initial: 0,
  step: (state, input, output) => {
    if (input === 'read') return output === undefined || output === state ? state : null;
    return output === undefined || output === input.write ? input.write : null;
  },
  key: String,
};

const write = (value: number, calledAt: number, returnedAt: number): Operation => ({
  input: { write: value },
  output: returnedAt === Infinity ? undefined : value,
  calledAt,
  returnedAt,
});
const read = (output: number, calledAt: number, returnedAt: number): Operation => ({
  input: 'read',
  output,
  calledAt,
  returnedAt,
});
const verdict = (...operations: Operation[]): string => checkLinearizability(operations, register);

test('operations one after the other are linearizable if each sees the one before', () => {
  assert.is(verdict(write(1, 1, 2), read(1, 3, 4), write(2, 5, 6), read(2, 7, 8)), 'linearizable');
  assert.is(verdict(write(1, 1, 2), write(2, 3, 4), read(1, 5, 6)), 'not linearizable');
});

test('operations at the same time may take effect in either order, but in one', () => {
  assert.is(verdict(write(1, 1, 10), write(2, 2, 9), read(1, 11, 12)), 'linearizable');
  assert.is(verdict(write(1, 1, 10), write(2, 2, 9), read(2, 11, 12)), 'linearizable');
  assert.is(
    verdict(write(1, 1, 20), write(2, 2, 19), read(1, 3, 4), read(2, 5, 6), read(1, 7, 8)),
    'not linearizable',
  );
});

test('a write of unknown outcome may take effect late, or never, but not twice', () => {
  assert.is(verdict(write(1, 1, Infinity), read(0, 2, 3), read(1, 4, 5)), 'linearizable');
  assert.is(verdict(write(1, 1, Infinity), read(0, 2, 3)), 'linearizable');
  assert.is(
    verdict(write(1, 1, Infinity), read(1, 2, 3), write(2, 4, 5), read(2, 6, 7), read(1, 8, 9)),
    'not linearizable',
  );
});

test('a stale read is found out', () => {
  assert.is(verdict(write(1, 1, 2), read(0, 3, 4)), 'not linearizable');
});

/** Tries all orders. */
function isLinearizableNaively(operations: readonly Operation[]): boolean {
  const place = (state: number, left: readonly Operation[]): boolean => {
    if (left.every(({ returnedAt }) => returnedAt === Infinity)) return true;
    const firstReturn = Math.min(...left.map(({ returnedAt }) => returnedAt));
    return left.some((operation) => {
      if (operation.calledAt > firstReturn) return false;
      const next = register.step(state, operation.input, operation.output);
      return (
        next !== null &&
        place(
          next,
          left.filter((other) => other !== operation),
        )
      );
    });
  };
  return place(0, operations);
}

test('it agrees with a search through all orders', () => {
  const operation = fc.record({
    value: fc.integer({ min: 0, max: 2 }),
    kind: fc.integer({ min: 0, max: 2 }),
  });
  const history = fc.array(operation, { maxLength: 6 }).chain((kinds) =>
    fc.shuffledSubarray([...Array(2 * kinds.length).keys()], { minLength: 2 * kinds.length }).map((moments) =>
      kinds.map(({ value, kind }, index) => {
        const [from, to] = [moments[2 * index]!, moments[2 * index + 1]!].sort((a, b) => a - b);
        if (kind === 0) return read(value, from!, to!);
        return write(value, from!, kind === 1 ? to! : Infinity);
      }),
    ),
  );
  const seen = { yes: 0, no: 0 };
  fc.assert(
    fc.property(history, (operations) => {
      const naive = isLinearizableNaively(operations);
      seen[naive ? 'yes' : 'no'] += 1;
      return verdict(...operations) === (naive ? 'linearizable' : 'not linearizable');
    }),
    { numRuns: 2000 },
  );
  assert.ok(seen.yes > 100 && seen.no > 100, JSON.stringify(seen));
});

test.run();
