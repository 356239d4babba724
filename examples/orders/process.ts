/** One process of the application: `process.js NAME ROLE URL`. A shop takes orders, a workshop works them off. */
import { Application, type Constructor } from 'quorate';
import { CloseTill } from './close-till.js';
import { OrderService } from './order-service.js';
import { OrderWorker } from './order-worker.js';
import { Prices } from './prices.js';

export type Role = 'shop' | 'workshop';

const DECLARED: Readonly<Record<Role, readonly Constructor[]>> = {
  shop: [OrderService],
  workshop: [Prices, OrderWorker, CloseTill],
};

const [id, role = 'workshop', connect = ''] = process.argv.slice(2);
const app = await Application.start({
  id,
  connect,
  sessionTimeoutMs: 1500,
  declare: DECLARED[role as Role],
  handleSignals: true,
});
process.send?.('ready');
// Whoever started this process is gone: nobody else would end it.
process.on('disconnect', () => void app.stop());
await app.stopped;
if (process.connected) process.disconnect();
