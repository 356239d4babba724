/** One worker process: `worker.js NAME URL`. Runs the shop until it is asked to stop, and tells what happens in it. */
import { Application } from 'quorate';
import { CloseBooks, OrderWorker, Shop, ShopConfig, slowDown, tell } from './shop.js';
import type { Asked } from './told.js';

const [, connect = ''] = process.argv.slice(2);
const app = await Application.start({
  connect,
  sessionTimeoutMs: 1500,
  declare: [ShopConfig, Shop, CloseBooks, OrderWorker],
});
const config = app.get(ShopConfig);
const { ledger } = app.get(Shop);

app.on('config-reloaded', () => {
  tell({ type: 'config-applied', currency: config.currency, dailyLimit: config.dailyLimit });
});
app.on('config-refused', ({ violations }) => {
  tell({ type: 'config-refused', violations, dailyLimit: config.dailyLimit });
});
app.on('leader-acquired', ({ fence }) => tell({ type: 'led', fence: String(fence) }));

async function makeEntries(count: number): Promise<void> {
  for (let made = 0; made < count; made++) await ledger.makeEntry();
}

process.on('message', (asked: Asked) => {
  switch (asked.type) {
    case 'make-entries':
      void makeEntries(asked.count);
      break;
    case 'slow-down':
      slowDown();
      break;
    case 'stop':
      void app.stop().then(() => process.disconnect());
      break;
  }
});
tell({ type: 'ready' });
