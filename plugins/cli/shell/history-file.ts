import { appendFileSync, chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { splitCommandLine } from './command-line.js';

/** Lines that are offered to the next shell. */
export const HISTORY_LIMIT = 1000;

/**
 * The lines of earlier shells, in a file that only its owner can read. Lines with
 * a password, an identity or what looks like a secret in them are never written. A file that cannot be read or written costs the history, not the shell.
 */
export class HistoryFile {
  private readonly file: string;

  constructor(file: string) {
    this.file = file;
  }

  /** Oldest first, at most `HISTORY_LIMIT`; cuts the file down to them when it has grown to twice that. */
  load(): string[] {
    try {
      chmodSync(this.file, 0o600);
      const lines = readFileSync(this.file, 'utf8')
        .split('\n')
        .filter((line) => line !== '');
      const kept = lines.slice(-HISTORY_LIMIT);
      if (lines.length > 2 * HISTORY_LIMIT) writeFileSync(this.file, `${kept.join('\n')}\n`, { mode: 0o600 });
      return kept;
    } catch {
      return [];
    }
  }

  add(line: string): void {
    const text = line.trim();
    if (text === '' || text.includes('\n') || holdsPassword(text)) return;
    try {
      appendFileSync(this.file, `${text}\n`, { mode: 0o600 });
    } catch {
      // A home without a writable disk is no reason to stop.
    }
  }
}

function holdsPassword(line: string): boolean {
  if (/\bdigest:|\bauth:|passw|secret|token|credential/i.test(line)) return true;
  try {
    return splitCommandLine(line)[0] === 'addauth';
  } catch {
    return line.includes('addauth');
  }
}
