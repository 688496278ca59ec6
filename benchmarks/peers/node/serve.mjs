// Node: a fastify route around an onnxruntime-node session.
import Fastify from 'fastify';
import * as ort from 'onnxruntime-node';

const NAMES = ['u', 'g', 'r', 'i', 'z', 'redshift'];
// Ten thousand rows are more than the megabyte that fastify takes by default.
const BODY_LIMIT = 16 * 1024 * 1024;

const number = { type: 'number' };
const row = {
  type: 'object',
  required: NAMES,
  properties: Object.fromEntries(NAMES.map((name) => [name, number])),
};
const answer = {
  type: 'object',
  properties: {
    labels: { type: 'array', items: { type: 'string' } },
    probabilities: { type: 'array', items: { type: 'array', items: number } },
  },
};

const session = await ort.InferenceSession.create(process.env.MODEL);
const fastify = Fastify({ bodyLimit: BODY_LIMIT });

fastify.post(
  '/predict',
  { schema: { body: { type: 'array', items: row }, response: { 200: answer } } },
  async ({ body }) => {
    const feeds = {};
    for (const name of NAMES) {
      const column = Float32Array.from(body, (each) => each[name]);
      feeds[name] = new ort.Tensor('float32', column, [body.length, 1]);
    }
    const { label, probabilities } = await session.run(feeds, ['label', 'probabilities']);
    const [rows, classes] = probabilities.dims;
    const scores = [];
    for (let first = 0; first < rows * classes; first += classes) {
      scores.push(Array.from(probabilities.data.subarray(first, first + classes)));
    }
    return { labels: label.data, probabilities: scores };
  },
);

await fastify.listen({ host: '127.0.0.1', port: Number(process.env.PORT) });
