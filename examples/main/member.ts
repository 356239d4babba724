/** One member process: `member.js ID ENSEMBLE DATA SECRET`. Serves until it is asked to stop. */
import { serve } from 'quorate/server';

const [id = '', ensemble = '', data = '', secret = ''] = process.argv.slice(2);
const member = await serve({ id: Number(id), ensemble, data, secret, tickMs: 200, minSessionMs: 400 });
member.onFailure((error) => {
  console.error(error);
  process.exit(1);
});
process.on('message', () => void member.close().then(() => process.disconnect()));
