import { ShellError } from './shell-error.js';

/**
 * Breaks a line into words as ZooKeeper's shell does: at white space, except inside a pair of quotes that
 * begins a word. There is no escaping; a quote in the middle of a word is an ordinary character. Throws `ShellError` if
 * a quoted word has no end.
 */
export function splitCommandLine(line: string): string[] {
  const words: string[] = [];
  let rest = line.trimStart();
  while (rest !== '') {
    const { word, length } = firstWord(rest);
    words.push(word);
    rest = rest.slice(length).trimStart();
  }
  return words;
}

function firstWord(text: string): { readonly word: string; readonly length: number } {
  const quote = text[0];
  if (quote !== '"' && quote !== "'") {
    const word = /^\S+/.exec(text)![0];
    return { word, length: word.length };
  }
  const end = text.indexOf(quote, 1);
  if (end === -1) throw new ShellError(`No closing ${quote} for ${text}`);
  return { word: text.slice(1, end), length: end + 1 };
}
