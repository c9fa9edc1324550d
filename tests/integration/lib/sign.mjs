// Signs bodies as the platforms do, with their own libraries where there is one, so that both sides of a signature are
// not ours.
import { createHmac } from 'node:crypto';
import { sign as octokitSign } from '@octokit/webhooks-methods';
import { Webhook } from 'standardwebhooks';

let counter = 0;

// Standard Webhooks headers. `secret` is whsec_… or base64.
export function standardWebhooks(secret, body, { id = `msg_${process.pid}_${++counter}`, time = new Date() } = {}) {
  return {
    'webhook-id': id,
    'webhook-timestamp': String(Math.floor(time.getTime() / 1000)),
    'webhook-signature': new Webhook(secret).sign(id, time, body),
  };
}

// The parsed body of a callback; throws when its signature or timestamp is wrong.
export function verifyStandardWebhooks(secret, { headers, body }) {
  return new Webhook(secret).verify(body, headers);
}

// A plain HMAC header over the raw body.
export function hmac(key, body, { header = 'x-signature', algorithm = 'sha256', encoding = 'hex', prefix = '' } = {}) {
  return { [header]: prefix + createHmac(algorithm, key).update(body).digest(encoding) };
}

// X: base64 HMAC-SHA256 with the consumer secret.
export function x(consumerSecret, body) {
  return hmac(consumerSecret, body, { header: 'x-twitter-webhooks-signature', encoding: 'base64', prefix: 'sha256=' });
}

// X's challenge-response check: the response_token that a webhook must answer to crc_token.
export function xCrc(consumerSecret, crcToken) {
  return `sha256=${createHmac('sha256', consumerSecret).update(crcToken).digest('base64')}`;
}

// Meta: X-Hub-Signature-256, which is GitHub's scheme too. For a body of bytes that is no UTF-8, see hmac().
export async function meta(appSecret, body) {
  return { 'x-hub-signature-256': await octokitSign(appSecret, String(body)) };
}
