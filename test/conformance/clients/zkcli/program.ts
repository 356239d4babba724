/** Types the scenarios into zkCli.sh, all of them into the same one, and prints what it answers. */
import { Normaliser } from './normaliser.js';
import { ONE_SHOT, SCENARIOS } from './scenarios.js';
import { ShellProcess } from './shell-process.js';

const [connect, ...names] = process.argv.slice(2) as [string, ...string[]];

/** One shell for all of it; a new one where a command has ended the last one. */
class Typist {
  #shell: ShellProcess | null = null;

  async carryOut(command: string, events: number): Promise<string[]> {
    if (command.startsWith(ONE_SHOT)) {
      const args = command.slice(ONE_SHOT.length).split(' ');
      return withoutStates(await new ShellProcess(['-server', connect, ...args]).rest());
    }
    this.#shell ??= await ShellProcess.start(connect);
    const said = await this.#shell.run(command.replace('CONNECT', connect), events);
    if (!this.#shell.isGone) return said;
    this.#shell = null;
    return withoutStates(said);
  }

  stop(): void {
    this.#shell?.kill();
    this.#shell = null;
  }
}

/** A shell that ends may do so before it prints what became of its own connection. */
function withoutStates(said: readonly string[]): string[] {
  return said.filter((line) => !line.endsWith('type:None path:null'));
}

const typist = new Typist();
for (const name of names) {
  console.log(`## ${name}`);
  const normaliser = new Normaliser(connect);
  try {
    for (const step of SCENARIOS[name]!) {
      const [command, events] = typeof step === 'string' ? [step, 0] : step;
      console.log(`> ${command}`);
      const said = await typist.carryOut(command, events);
      for (const line of normaliser.lines(command, said)) console.log(line);
    }
  } catch (error) {
    console.log(`!! ${String(error)}`);
    typist.stop();
  }
}
typist.stop();
