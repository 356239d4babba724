import * as assert from 'uvu/assert';
import {
  Application,
  Config,
  ConfigStore,
  connect,
  inject,
  LeaderOnly,
  Locked,
  Locks,
  Queues,
  Service,
  Services,
  Worker,
  type Job,
} from '../../../framework/index.js';
import type { Behaviours } from '../behaviour.js';
import { SESSION_TIMEOUT_MS } from '../engine.js';

@Config({ name: 'greeting' })
class Greeting {
  word = 'hello';
}

@Service({ name: 'greeter', port: 8080 })
class Greeter {
  constructor(@inject(Greeting) readonly greeting: Greeting) {}

  @Locked('the-only-voice')
  async greet(name: string): Promise<string> {
    return `${this.greeting.word}, ${name}`;
  }
}

@Worker({ queue: 'greetings' })
class GreetingWorker {
  constructor(@inject(Greeter) readonly greeter: Greeter) {}

  handle({ data }: Job<{ name: string }>): Promise<string> {
    return this.greeter.greet(data.name);
  }
}

@LeaderOnly({ name: 'count-guests', every: '20ms' })
class CountGuests {
  count = 0;

  run(): void {
    this.count++;
  }
}

export const connecting: Behaviours = {
  'a whole application runs on nothing but the connect string, in a tree that nobody prepared': async (
    place,
  ) => {
    await using app = await Application.start({
      connect: place.engine.connectString(`${place.name}-application`),
      sessionTimeoutMs: SESSION_TIMEOUT_MS,
      declare: [Greeting, Greeter, GreetingWorker, CountGuests],
    });
    const greetings = app.get(Queues).of<{ name: string }>('greetings');
    const greet = async (name: string): Promise<unknown> =>
      greetings.result(await greetings.enqueue({ name }));

    assert.is(await greet('Anna'), 'hello, Anna');
    await app.get(ConfigStore).write('greeting', { word: 'welcome' });
    await place.until(() => app.get(Greeting).word === 'welcome');
    assert.is(await greet('Bert'), 'welcome, Bert');
    assert.is((await app.get(Services).pick('greeter')).port, 8080);
    assert.is(await app.get(Locks).run('any', () => 'done'), 'done');
    await place.until(() => app.get(CountGuests).count >= 2);
  },

  'clients of one connect string see the same tree': async (place) => {
    const url = place.engine.connectString(`${place.name}-clients`);
    await using one = await connect(url);
    await using other = await connect(url);
    await one.create('/said/by/one', 'hello', { createParents: true });
    await other.sync('/');
    assert.equal((await other.getData('/said/by/one')).data, new TextEncoder().encode('hello'));
  },
};
