import { jsonErrorOffset } from './json-scanner.js';
import { QuorateError } from './quorate-error.js';

/** Text that is not JSON, or is nested too deeply. The message says where, and quotes nothing of it. Code `INVALID_JSON`. */
export class JsonTextError extends QuorateError {
  /** Where the text stops being what it has to be, in UTF-16 units from 0. */
  readonly offset: number;

  constructor(problem: string, text: string, offset: number) {
    const before = text.slice(0, offset);
    const line = before.split('\n').length;
    const column = offset - before.lastIndexOf('\n');
    super('INVALID_JSON', `${problem} at line ${line}, column ${column}`, {
      fields: { offset, line, column },
    });
    this.offset = offset;
  }
}

/**
 * Parses JSON. The message of `JSON.parse` quotes the text around an error, which may be a secret; that of this error gives the
 * position only, and has no cause. `maxDepth`: how deeply lists and objects may be nested; without it as deeply as they are.
 * @throws JsonTextError
 */
export function parseJson(text: string, { maxDepth }: { readonly maxDepth?: number } = {}): unknown {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    const offset = jsonErrorOffset(text) ?? 0;
    throw new JsonTextError(
      offset === text.length ? 'the text ends too early' : 'unexpected character',
      text,
      offset,
    );
  }
  if (maxDepth === undefined) return value;
  const tooDeep = offsetBeyond(text, maxDepth);
  if (tooDeep === null) return value;
  throw new JsonTextError(`nested more than ${maxDepth} levels deep`, text, tooDeep);
}

/** Where valid JSON is nested more deeply than `maxDepth` for the first time; null if nowhere. */
function offsetBeyond(text: string, maxDepth: number): number | null {
  let depth = 0;
  let isInString = false;
  if (text.length <= 2 * maxDepth) return null;
  for (let at = 0; at < text.length; at++) {
    const character = text[at];
    if (isInString) {
      if (character === '\\') at++;
      else if (character === '"') isInString = false;
    } else if (character === '"') isInString = true;
    else if (character === '{' || character === '[') {
      if (++depth > maxDepth) return at;
    } else if (character === '}' || character === ']') depth--;
  }
  return null;
}
