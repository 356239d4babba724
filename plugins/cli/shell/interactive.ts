import { createInterface } from 'node:readline/promises';
import { printableLine } from '../../../core/runtime/index.js';
import { complete } from './completion.js';
import { HISTORY_LIMIT, type HistoryFile } from './history-file.js';
import type { Shell } from './shell.js';
import type { TerminalOutput } from './shell-output.js';

/** Carries out the lines of a stream in order. Resolves when it has ended or said `quit`: true if the last command succeeded. */
export async function runScript(shell: Shell, input: NodeJS.ReadableStream): Promise<boolean> {
  let succeeded = true;
  for await (const line of createInterface({ input })) {
    succeeded = await shell.executeLine(line);
    if (shell.isQuitting) break;
  }
  return succeeded;
}

/**
 * Talks with whoever sits at a terminal: a prompt, line editing, completion, and the history of earlier talks. Resolves
 * after `quit`, Ctrl-D or Ctrl-C: true if the last command succeeded.
 */
export function converse(
  shell: Shell,
  input: NodeJS.ReadableStream,
  output: TerminalOutput,
  history: HistoryFile,
): Promise<boolean> {
  const lines = createInterface({
    input,
    output: output.stream,
    terminal: true,
    historySize: HISTORY_LIMIT,
    history: history.load().reverse(),
    completer: (line: string) => complete(line, shell.client),
  });
  const ask = (): void => {
    lines.setPrompt(printableLine(shell.prompt));
    lines.prompt();
    output.setTyping(() => lines.prompt(true));
  };
  const runLine = async (line: string): Promise<boolean> => {
    history.add(line);
    output.setTyping(null);
    const succeeded = await shell.executeLine(line);
    if (shell.isQuitting) lines.close();
    else ask();
    return succeeded;
  };
  let last = Promise.resolve(true);
  lines.on('line', (line) => {
    last = last.then((before) => (shell.isQuitting ? before : runLine(line)));
  });
  lines.on('SIGINT', () => {
    lines.close();
    // What is under way is not waited for: it rejects when its client closes.
    void shell.close();
  });
  ask();
  return new Promise((resolve) => {
    lines.on('close', () => {
      output.setTyping(null);
      resolve(last);
    });
  });
}
