/** One process of an application, `fleet.js URL SESSION-MS`, until SIGTERM; tells when it leads and when it has a configuration. */
import {
  Application,
  Config,
  LeaderOnly,
  onReload,
  Worker,
  type LeaderContext,
} from '../../../framework/index.js';
import { machineNowMs } from '../machine.js';
import { QUEUE, type Told } from './fleet-told.js';

@Config({
  name: 'fleet',
  schema: { type: 'object', properties: { count: { type: 'number' } }, required: ['count'] },
})
class FleetConfig {
  count = 0;
}

@LeaderOnly({ name: 'fleet' })
class Leader {
  async run({ signal }: LeaderContext): Promise<void> {
    tell({ type: 'leads', atMs: machineNowMs() });
    await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
  }
}

@Worker({ queue: QUEUE })
class Echo {
  handle({ data }: { readonly data: unknown }): unknown {
    return data;
  }
}

function tell(told: Told): void {
  process.send!(told);
}

const [, , connect = '', sessionMs] = process.argv;
const app = await Application.start({
  connect,
  sessionTimeoutMs: Number(sessionMs),
  declare: [FleetConfig, Leader, Echo],
  handleSignals: true,
});
onReload(app.get(FleetConfig), ({ count }) => tell({ type: 'applied', atMs: machineNowMs(), count }));
app.on('state', ({ state }) => {
  if (state === 'stopped') process.disconnect();
});
tell({ type: 'ready', atMs: machineNowMs() });
