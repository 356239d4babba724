import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type ShellCommand, integerFlag, parseArguments } from '../../../../plugins/cli/shell/command.js';
import { splitCommandLine } from '../../../../plugins/cli/shell/command-line.js';

const example: ShellCommand = {
  name: 'example',
  usage: '[-s] [-e] [-t ttl] path [data]',
  flags: 'set:',
  words: [1, 2],
  run: () => Promise.resolve(),
};

function parse(...given: string[]): Record<string, unknown> {
  const parsed = parseArguments(example, given);
  return { words: parsed.words, s: parsed.has('s'), e: parsed.has('e'), t: parsed.valueOf('t') };
}

test('words are separated by white space', () => {
  assert.equal(splitCommandLine('  create\t/a   b '), ['create', '/a', 'b']);
  assert.equal(splitCommandLine('   '), []);
});

test('quotes of either kind keep a word together, and an empty pair is an empty word', () => {
  assert.equal(splitCommandLine(`set /a "one two" 'three "four"' ""`), [
    'set',
    '/a',
    'one two',
    'three "four"',
    '',
  ]);
});

test('a quote in the middle of a word is an ordinary character', () => {
  assert.equal(splitCommandLine(`set /a it's {"b":1}`), ['set', '/a', `it's`, '{"b":1}']);
});

test('a quoted word without an end is refused', () => {
  assert.throws(() => splitCommandLine('set /a "one two'), /No closing "/);
});

test('flags stand before, behind and between words, and may be run together', () => {
  const expected = { words: ['/a', 'x'], s: true, e: true, t: '5' };

  assert.equal(parse('-s', '-e', '-t', '5', '/a', 'x'), expected);
  assert.equal(parse('/a', '-se', 'x', '-t', '5'), expected);
  assert.equal(parse('-est5', '/a', 'x'), expected);
});

test('a negative number is a word or a value, and behind two dashes everything is a word', () => {
  assert.equal(parse('/a', '-5').words, ['/a', '-5']);
  assert.is(parse('-t', '-1', '/a').t, '-1');
  assert.equal(parse('/a', '--', '-s').words, ['/a', '-s']);
});

test('unknown flags, missing values and a wrong number of words tell the usage', () => {
  const usage = /example \[-s\] \[-e\] \[-t ttl\] path \[data\]/;
  const wrong: [given: string[], reason: RegExp][] = [
    [['-x', '/a'], /Unrecognized option: -x/],
    [['-:', '/a'], /Unrecognized option: -:/],
    [['/a', '-t'], /Missing argument for option: t/],
    [[], usage],
    [['/a', 'b', 'c'], usage],
  ];
  for (const [given, reason] of wrong) {
    assert.throws(() => parse(...given), reason);
    assert.throws(() => parse(...given), usage);
  }
});

test('the value of a flag has to be an integer in its range', () => {
  const read = (text: string) =>
    integerFlag(parseArguments(example, ['-t', text, '/a']), 't', { fallback: 0, least: 1, greatest: 9 });

  assert.is(read('9'), 9);
  for (const text of ['0', '10', '1.5', 'x', '', '1e0', ' 1']) assert.throws(() => read(text), /from 1 to 9/);
});

test.run();
