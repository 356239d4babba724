import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { parseDigests, parsePasswords } from '../../../../core/server/configuration/accounts.js';

function refusal(act: () => unknown): string {
  try {
    act();
  } catch (error) {
    return (error as Error).message;
  }
  return 'accepted';
}

test('a list of users holds passwords or digests, comments and empty lines', () => {
  const digests = parseDigests('o', '# admins\nsuper:admin\r\n\nann:{digest}xQJmxLMiHGwaqBvst5y6rkB6HQs=\n');
  assert.equal([...digests], ['super:xQJmxLMiHGwaqBvst5y6rkB6HQs=', 'ann:xQJmxLMiHGwaqBvst5y6rkB6HQs=']);
  assert.equal([...parsePasswords('o', 'bob:a:b \n')], [['bob', 'a:b ']]);
});

test('a malformed list is refused by its line, which is not quoted', () => {
  for (const [text, problem] of [
    ['ann:x\nhunter2', /Option o: line 2 names no user/],
    [':hunter2', /line 1 names no user/],
    ['ann:', /line 1 names no user/],
    ['ann:{digest}hunter2', /line 1 has a malformed digest/],
    ['# nobody\n', /names no user/],
  ] as const) {
    const message = refusal(() => parseDigests('o', text));
    assert.match(message, problem);
    assert.not.match(message, /hunter2/);
  }
});

test.run();
