/** Every command line of the documentation names commands and flags that exist. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Command } from 'commander';
import { readSource } from '../house/imports.js';
import { COMMANDS } from './commands.js';
import { GUIDES } from './pages.js';

const PAGES = [
  ...GUIDES,
  'SECURITY.md',
  'framework/ERRORS.md',
  'core/server/RUNBOOKS.md',
  'core/server/LIMITS.md',
  'core/server/METRICS.md',
  'core/storage/README.md',
];
/** Flags of other programs that the pages name. */
const OF_OTHERS: ReadonlySet<string> = new Set([
  '--help',
  // Of `npm run bench`.
  '--only',
  '--quick',
  '--tools',
]);

/** Lines of shell blocks, and code within prose. */
function commandLinesOf(text: string): readonly string[] {
  const blocks = [...text.matchAll(/^```(?:sh|ini)\n([\s\S]*?)^```/gm)].flatMap(([, block]) =>
    block!.replaceAll(/\\\n\s*/g, '').split('\n'),
  );
  const spans = [...text.replaceAll(/^```[\s\S]*?^```/gm, '').matchAll(/`([^`\n]+)`/g)].map(
    ([, span]) => span!,
  );
  return [...blocks.map((line) => line.replace(/\s#\s.*$/, '')), ...spans];
}

/** What stands behind `quorate`, up to the end of that command. */
function callsIn(line: string): readonly string[] {
  return [...line.matchAll(/(?:^|\s|ExecStart=)(?:npx )?(?<!npm view )quorate ([a-z][^;|>]*)/g)].map(
    ([, call]) => call!.trim(),
  );
}

/** What is wrong with a call; null if nothing is. */
function faultOf(call: string): string | null {
  const words = call.split(/\s+/);
  let command: Command | undefined = COMMANDS[words[0]!];
  if (command === undefined) return `there is no command ${words[0]}`;
  let at = 1;
  for (; words[at] !== undefined; at++) {
    const inner: Command | undefined = command.commands.find((each) => each.name() === words[at]);
    if (inner === undefined) break;
    command = inner;
  }
  const word = words[at];
  const isName = word !== undefined && /^[a-z][a-z-]*$/.test(word);
  if (command.commands.length > 0 && command.registeredArguments.length === 0 && isName)
    return `${command.name()} has no command ${word}`;
  // What stands behind the command of the shell are its own.
  if (command.name() === 'shell') return null;
  const known = new Set(command.options.map(({ long }) => long));
  const unknown = flagsIn(call).filter((flag) => !known.has(flag));
  return unknown.length === 0 ? null : `${command.name()} has no ${unknown.join(', ')}`;
}

function flagsIn(text: string): readonly string[] {
  return [...text.matchAll(/(?:^|[\s[(])(--[a-z][a-z-]*)/g)].map(([, flag]) => flag!);
}

function everyFlag(commands: readonly Command[]): readonly string[] {
  return commands.flatMap((command) => [
    ...command.options.map(({ long }) => long!),
    ...everyFlag(command.commands),
  ]);
}

test('every call of quorate in the documentation names a command and flags that there are', () => {
  const calls = PAGES.flatMap((page) =>
    commandLinesOf(readSource(page)).flatMap((line) => callsIn(line).map((call) => ({ page, call }))),
  );
  assert.ok(calls.length > 60, `only ${calls.length} calls were found`);
  const faults = calls.flatMap(({ page, call }) => {
    const fault = faultOf(call);
    return fault === null ? [] : [`${page}: quorate ${call}: ${fault}`];
  });
  assert.equal(faults, []);
});

test('every flag that the text of the documentation names is one of a command', () => {
  const known = new Set([...everyFlag(Object.values(COMMANDS)), ...OF_OTHERS]);
  const faults = PAGES.flatMap((page) =>
    commandLinesOf(readSource(page))
      .filter((line) => line.startsWith('--'))
      .flatMap(flagsIn)
      .filter((flag) => !known.has(flag))
      .map((flag) => `${page}: ${flag}`),
  );
  assert.equal(faults, []);
});

test('a call of an unknown command, subcommand or flag is found', () => {
  assert.match(faultOf('srve --data x')!, 'no command srve');
  assert.match(faultOf('queue redrive mails')!, 'no command redrive');
  assert.match(faultOf('serve --dta ./data')!, 'no --dta');
  assert.is(faultOf('queue dead redrive mails --connect ws://a'), null);
});

test.run();
