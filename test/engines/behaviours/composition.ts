import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import * as assert from 'uvu/assert';
import {
  diagnosticsChannel,
  inject,
  module,
  provide,
  Service,
  token,
  type DiagnosticsMessage,
  type Plugin,
} from '../../../framework/index.js';
import type { Behaviours } from '../behaviour.js';

const Sender = token<string>('sender');

@Service({ name: 'mail', port: 25 })
class Mail {
  constructor(@inject(Sender) readonly sender: string) {}
}

export const composition: Behaviours = {
  'an application of modules and plugins is built, hooked into, watched, and undone': async (place) => {
    const mail = module({ declare: [Mail], provide: [provide(Sender, 'nobody')] });
    const story: string[] = [];
    const plugin: Plugin = {
      name: 'diary',
      hooks: { started: () => void story.push('started'), draining: () => void story.push('draining') },
      setup: ({ onStop }) => onStop(() => void story.push('undone')),
    };
    const machine = place.participant();
    const told: string[] = [];
    const onRegistered = (message: unknown): void => {
      const { application } = message as DiagnosticsMessage;
      if (application === machine.name) told.push(application);
    };
    subscribe(diagnosticsChannel('service-registered'), onRegistered);
    const app = await machine.run({
      declare: [mail],
      use: [plugin],
      provide: [provide(Sender, 'the test')],
    });
    assert.is(app.get(Mail).sender, 'the test');
    await app.stop();
    unsubscribe('quorate:service-registered', onRegistered);
    assert.equal(story, ['started', 'draining', 'undone']);
    assert.equal(told, [machine.name]);
  },

  'an application is not ready while no server is there, nor while it drains, and lives all the same': async (
    place,
  ) => {
    const machine = place.participant();
    const app = await machine.run({ declare: [Mail], provide: [provide(Sender, 'the test')] });
    const health = async (): Promise<string> => {
      const { isLive, isReady } = await app.health();
      return `${isLive} ${isReady}`;
    };
    await place.until(async () => (await health()) === 'true true');
    machine.cutOff();
    await place.until(async () => (await health()) === 'true false');
    machine.rejoin();
    await place.until(async () => (await health()) === 'true true');
    await app.stop();
    assert.is((await app.health()).isReady, false);
  },
};
