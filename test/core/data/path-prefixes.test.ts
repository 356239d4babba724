import * as fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { parentOf } from '../../../core/data/path.js';
import { PathPrefixes } from '../../../core/data/path-prefixes.js';

const path = fc
  .array(fc.constantFrom('a', 'b', 'aa', 'é'), { maxLength: 5 })
  .map((names) => (names.length === 0 ? '/' : `/${names.join('/')}`));

function above(prefixes: PathPrefixes, of: string): string[] {
  const found: string[] = [];
  prefixes.above(of, (prefix) => found.push(prefix));
  return found.sort();
}

test('the paths above another one are found, each once, whatever was added and removed before', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.boolean(), path), { maxLength: 40 }), path, (moves, of) => {
      const prefixes = new PathPrefixes();
      const model: string[] = [];
      for (const [isAdded, at] of moves) {
        if (isAdded) {
          prefixes.add(at);
          model.push(at);
        } else if (model.includes(at)) {
          prefixes.remove(at);
          model.splice(model.indexOf(at), 1);
        }
      }
      const expected: string[] = [];
      for (let at = of; at !== '/';) {
        at = parentOf(at);
        if (model.includes(at)) expected.push(at);
      }
      assert.equal(above(prefixes, of), expected.sort());
      assert.is(prefixes.size, model.length);
    }),
  );
});

test('a path of many levels is looked through once, and not once for each of its prefixes', () => {
  const prefixes = new PathPrefixes();
  const deep = '/d'.repeat(100_000);
  prefixes.add('/');
  prefixes.add(deep.slice(0, 2_000));
  prefixes.add('/other');
  // All prefixes together have ten billion characters.
  assert.equal(above(prefixes, deep), ['/', deep.slice(0, 2_000)]);
});

test.run();
