/** Which public calls take an object of options, read from the emitted declarations. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as client from '../../core/client/index.js';
import * as server from '../../core/server/index.js';
import * as framework from '../../framework/index.js';
import * as testing from '../../framework/testing/index.js';
import * as zookeeper from '../../plugins/zookeeper/index.js';

const DIST = fileURLToPath(new URL('../../', import.meta.url));
const FOLDERS = [
  'core/client',
  'core/recipes',
  'core/server',
  'core/testing',
  'framework',
  'plugins/zookeeper',
];
const PUBLIC = new Set([client, framework, server, testing, zookeeper].flatMap((door) => Object.keys(door)));
/** Interfaces whose methods users call. */
const INTERFACES = new Set(['Client', 'Job', 'Lock']);

const TYPE = /^export (?:declare )?(?:abstract )?(?:class|interface) (\w+)[^{]*\{\n([\s\S]*?)^\}/gm;
const MEMBER = /^ {4}(?:static )?(\w+)(?:<[^(]*>)?\(/gm;
const FUNCTION = /^export declare function (\w+)(?:<[^(]*>)?\(/gm;
const OPTIONS = /\b(?:options|reference|request)\??: /;

/** `FairLock` for a constructor, `FairLock.explain` for a method, `connect` for a function; sorted. */
export function publicOptionCalls(): readonly string[] {
  return [
    ...new Set(FOLDERS.flatMap((folder) => declarationsIn(join(DIST, folder)).flatMap(callsIn))),
  ].sort();
}

function declarationsIn(folder: string): readonly string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.d.ts'))
    .map((file) => readFileSync(join(folder, file), 'utf8').replace(/\/\*[\s\S]*?\*\//g, ''));
}

function callsIn(text: string): readonly string[] {
  const methods = [...text.matchAll(TYPE)].flatMap(([, type = '', body = '']) =>
    PUBLIC.has(type) || INTERFACES.has(type)
      ? withOptions(body, MEMBER).map((member) => (member === 'constructor' ? type : `${type}.${member}`))
      : [],
  );
  return [...methods, ...withOptions(text, FUNCTION).filter((name) => PUBLIC.has(name))];
}

function withOptions(text: string, heads: RegExp): readonly string[] {
  return [...text.matchAll(heads)]
    .filter(({ 0: head, index }) => OPTIONS.test(parametersFrom(text, index + head.length)))
    .map(([, name]) => name!);
}

/** What stands between parentheses, of which the first was before `start`. */
function parametersFrom(text: string, start: number): string {
  let depth = 1;
  let end = start;
  for (; depth > 0 && end < text.length; end++) depth += { '(': 1, ')': -1 }[text[end]!] ?? 0;
  return text.slice(start, end - 1);
}
