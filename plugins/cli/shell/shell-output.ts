import { writeText } from '../output.js';

/** Where a shell writes; a line break is added to each text. */
export interface ShellOutput {
  print(text: string): void;
  printError(text: string): void;
}

/** Results to one stream, errors to the other. */
export class StreamOutput implements ShellOutput {
  private readonly out: NodeJS.WritableStream;
  private readonly err: NodeJS.WritableStream;

  constructor(out: NodeJS.WritableStream, err: NodeJS.WritableStream) {
    this.out = out;
    this.err = err;
  }

  print(text: string): void {
    writeText(this.out, `${text}\n`);
  }

  printError(text: string): void {
    writeText(this.err, `${text}\n`);
  }
}

/** Everything to one terminal, also while a line is being typed there: the line is put back behind it. */
export class TerminalOutput implements ShellOutput {
  readonly stream: NodeJS.WritableStream;
  private redraw: (() => void) | null = null;

  constructor(stream: NodeJS.WritableStream) {
    this.stream = stream;
  }

  /** How to put back the line that is being typed; null while there is none. */
  setTyping(redraw: (() => void) | null): void {
    this.redraw = redraw;
  }

  print(text: string): void {
    // To the first column, and erase from there.
    if (this.redraw !== null) this.stream.write('\r\u001b[J');
    writeText(this.stream, `${text}\n`);
    this.redraw?.();
  }

  printError(text: string): void {
    this.print(text);
  }
}
