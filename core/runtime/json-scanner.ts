/** What may come next. */
type Expected = 'value' | 'value or ]' | 'key' | 'key or }' | ':' | ', or end';

/** Sticky, so that they match where they are told to. */
const SPACE = /[ \t\n\r]*/y;
const NUMBER = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y;
const WORD = /true|false|null/y;
const ESCAPE = /\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/y;

/** Where a text stops being JSON, in UTF-16 units; its length if more would have to follow, null if it is JSON. */
export function jsonErrorOffset(text: string): number | null {
  /** Of each list and object that is open, what closes it. */
  const open: (']' | '}')[] = [];
  let expected: Expected = 'value';
  let at = endOf(SPACE, text, 0)!;
  while (at < text.length) {
    const character = text[at]!;
    if (character === open.at(-1) && mayClose(expected)) {
      open.pop();
      expected = ', or end';
      at++;
    } else if (expected === ', or end') {
      if (character !== ',' || open.length === 0) return at;
      expected = open.at(-1) === '}' ? 'key' : 'value';
      at++;
    } else if (expected === ':') {
      if (character !== ':') return at;
      expected = 'value';
      at++;
    } else if (character === '"') {
      const string = scanString(text, at);
      if (!string.isWhole) return string.end;
      at = string.end;
      expected = expected.startsWith('key') ? ':' : ', or end';
    } else if (expected.startsWith('key')) return at;
    else if (character === '{' || character === '[') {
      open.push(character === '{' ? '}' : ']');
      expected = character === '{' ? 'key or }' : 'value or ]';
      at++;
    } else {
      const end = endOf(NUMBER, text, at) ?? endOf(WORD, text, at);
      if (end === null) return at;
      at = end;
      expected = ', or end';
    }
    at = endOf(SPACE, text, at)!;
  }
  return open.length === 0 && expected === ', or end' ? null : text.length;
}

function mayClose(expected: Expected): boolean {
  return expected === ', or end' || expected === 'value or ]' || expected === 'key or }';
}

function scanString(text: string, start: number): { readonly isWhole: boolean; readonly end: number } {
  let at = start + 1;
  while (at < text.length) {
    const code = text.charCodeAt(at);
    if (code === 0x22) return { isWhole: true, end: at + 1 };
    if (code < 0x20) return { isWhole: false, end: at };
    if (code !== 0x5c) at++;
    else {
      const end = endOf(ESCAPE, text, at);
      if (end === null) return { isWhole: false, end: at };
      at = end;
    }
  }
  return { isWhole: false, end: at };
}

/** Where a match at `at` ends; null if there is none. */
function endOf(pattern: RegExp, text: string, at: number): number | null {
  pattern.lastIndex = at;
  return pattern.test(text) ? pattern.lastIndex : null;
}
