/** An application that runs until it is told to stop; started by the tests as a process of its own. */
import { Application, LeaderOnly, type LeaderContext } from '../../../framework/index.js';

@LeaderOnly({ name: 'job', every: '1h' })
class Job {
  async run({ signal }: LeaderContext): Promise<void> {
    console.log('working');
    if (process.argv[2] === 'quick') return;
    await new Promise((resolve) => signal.addEventListener('abort', resolve));
    console.log('aborted');
  }
}

await Application.run({
  connect: 'embedded:',
  declare: [Job],
  drainDeadlineMs: 60_000,
  hooks: { event: (event) => void (event.type === 'state' && console.log(event.state)) },
});
console.log('end of main');
