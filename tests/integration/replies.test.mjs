// Agents' replies on their way to the platforms: what arrives there, what the case says of it, and what becomes of a
// reply when the platform is busy, broken, against it, or gone in the middle of a call.
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { createRequire } from 'node:module';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { caseOf, refused, taken } from './lib/answers.mjs';
import { brand, calm } from './lib/brand.mjs';
import { startPlatform } from './lib/platform.mjs';
import { eventually, start } from './lib/server.mjs';
import * as sign from './lib/sign.mjs';

const require = createRequire(import.meta.url);
const OAuth = require('oauth-1.0a');
const { messagingApi } = require('@line/bot-sdk');

const seconds = () => Math.floor(Date.now() / 1000);
const page = '102030405060708';
const organization = 'urn:li:organization:2414183';

// Each platform: what a source needs of it, how it knocks, and a customer's message, by an id that is also theirs.
const uses = {
  x: {
    secrets: { consumer_key: 'ck-of-the-tests', consumer_secret: 'cs&of the tests', access_token: '2244994945-at', access_token_secret: 'ats=of+the tests' },
    brand_account: 'acme',
    signed: (s, body) => sign.x(s.consumer_secret, body),
    message: (id, text, more = {}) => ({ for_user_id: '2244994945', tweet_create_events: [tweet(id, text, { id_str: `7${id}`, screen_name: `c${id}` }, more)] }),
  },
  line: {
    secrets: { channel_secret: 'line-channel-secret-of-the-tests', channel_access_token: 'line/channel+access=token' },
    signed: (s, body) => sign.hmac(s.channel_secret, body, { header: 'x-line-signature', encoding: 'base64' }),
    message: (id, text) => ({ destination: 'Uacme', events: [{ type: 'message', message: { id, type: 'text', text, quoteToken: 'q' }, webhookEventId: `01${id}`, deliveryContext: { isRedelivery: false }, timestamp: Date.now(), source: { type: 'user', userId: `U${id}` }, mode: 'active', replyToken: 'r' }] }),
  },
  telegram: {
    secrets: { secret_token: 'telegram_secret_token_of_the_tests', bot_token: '110201543:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw' },
    brand_account: 'acme',
    signed: (s) => ({ 'x-telegram-bot-api-secret-token': s.secret_token }),
    message: (id, text, more = {}) => ({ update_id: Number(id), message: { message_id: Number(id), from: { id: Number(id), is_bot: false, first_name: 'Kay' }, chat: { id: Number(id), type: 'private', first_name: 'Kay' }, date: seconds(), text, ...more } }),
  },
  meta: {
    secrets: { app_secret: 'meta-app-secret-of-the-tests', verify_token: 'verify-of-the-tests', access_token: 'EAAG-page-token' },
    settings: (url) => ({ api_url: `${url}/v25.0`, threads_url: `${url}/threads/v1.0` }),
    signed: (s, body) => sign.meta(s.app_secret, body),
    message: (id, text) => ({ object: 'page', entry: [{ id: page, time: Date.now(), messaging: [{ sender: { id }, recipient: { id: page }, timestamp: Date.now(), message: { mid: `m_${id}`, text } }] }] }),
  },
  linkedin: {
    secrets: { client_secret: 'linkedin-client-secret-of-the-tests', access_token: 'linkedin-token' },
    settings: (url) => ({ api_url: url, api_version: '202606' }),
    signed: (s, body) => sign.hmac(s.client_secret, `hmacsha256=${body}`, { header: 'x-li-signature' }),
    message: (id, text) => ({
      type: 'ORGANIZATION_SOCIAL_ACTION_NOTIFICATIONS',
      notifications: [{ notificationId: Number(id), organizationalEntity: organization, action: 'COMMENT', sourcePost: 'urn:li:activity:70', lastModifiedAt: Date.now(), generatedActivity: `urn:li:comment:(activity:70,${id})`, ...(text ? { decoratedGeneratedActivity: { comment: { owner: `urn:li:person:p${id}`, text, object: 'urn:li:activity:70' } } } : {}) }],
    }),
  },
  viber: {
    secrets: { auth_token: 'viber-auth-token-of-the-tests' },
    brand_account: 'Acme',
    signed: (s, body) => sign.hmac(s.auth_token, body, { header: 'x-viber-content-signature' }),
    message: (id, text) => ({ event: 'message', timestamp: Date.now(), message_token: Number(id), sender: { id: `${id}=`, name: 'Ivana' }, message: { type: 'text', text } }),
  },
  mastodon: {
    secrets: { webhook_secret: 'mastodon-webhook-secret-of-the-tests', access_token: 'mastodon-token' },
    brand_account: 'acme',
    // Webhooks here; networks-pulled.test.mjs has the rest.
    settings: (url) => ({ api_url: url, pull_every: '24h' }),
    signed: (s, body) => sign.hmac(s.webhook_secret, body, { header: 'x-hub-signature', prefix: 'sha256=' }),
    message: (id, text, more = {}) => ({
      event: 'status.created', created_at: new Date().toISOString(),
      object: { id, created_at: new Date().toISOString(), visibility: 'public', spoiler_text: '', edited_at: null, content: `<p>${text}</p>`, reblog: null, account: { id: `1${id}`, acct: `h${id}@other.example`, display_name: '', followers_count: 3 }, mentions: [{ id: '1', acct: 'acme', username: 'acme', url: 'https://social.example/@acme' }], media_attachments: [], ...more },
    }),
  },
  tiktok: {
    secrets: { client_secret: 'tiktok-client-secret-of-the-tests', access_token: 'act.tiktok' },
    signed: (s, body, t = seconds()) => sign.hmac(s.client_secret, `${t}.${body}`, { header: 'tiktok-signature', prefix: `t=${t},s=` }),
    message: (id, text) => ({ client_key: 'k', event: 'comment.update', create_time: seconds(), user_openid: 'open-acme', content: JSON.stringify({ comment_id: `74${id}`, video_id: '7400', comment_type: 'comment', comment_action: 'insert', timestamp: seconds(), unique_identifier: `u${id}`, ...(text ? { text } : {}) }) }),
  },
};

function tweet(id, text, user, more = {}) {
  return { created_at: new Date().toUTCString().replace(/^(\w+), (\d+) (\w+) (\d+) (\S+) GMT$/, '$1 $3 $2 $5 +0000 $4'), id_str: id, text, truncated: false, in_reply_to_status_id_str: null, user: { name: 'Bo', followers_count: 87, verified: false, ...user }, entities: { hashtags: [], urls: [], user_mentions: [] }, lang: 'en', ...more };
}

// A platform and a source of its own for what would slow another test down.
const doors = Object.fromEntries([
  ...Object.keys(uses).map((use) => [use, use]),
  ['x-busy', 'x'], ['x-few', 'x'], ['x-order', 'x'], ['telegram-busy', 'telegram'], ['line-busy', 'line'],
]);
const useOf = (name) => uses[doors[name] ?? name.split('-')[0]];
const at = {};
let server;
let agent;
let supervisor;

before(async () => {
  for (const name of Object.keys(doors)) at[name] = await startPlatform();
  at.line.answer('POST /v2/bot/message/push', () => ({ json: { sentMessages: [{ id: fresh(), quoteToken: 'q' }] } }));
  // Nothing is new on Mastodon when it is polled at start.
  at.mastodon.answer('GET /api/v1/notifications', { json: [] }).answer('GET /api/v1/streaming/user', { stream: true });
  const sources = Object.entries(doors).map(([name, use]) => {
    const { secrets, brand_account, settings = (url) => ({ api_url: url }) } = uses[use];
    return { name, use, secrets, ...settings(at[name].url()), ...(brand_account ? { brand_account } : {}) };
  });
  sources.push({ name: 'line-mute', use: 'line', secrets: { channel_secret: uses.line.secrets.channel_secret } });
  server = await start(brand({
    more: {
      sources,
      limits: { requests_per_minute: { address: 0 } },
      delivery: { allow_private_addresses: true, schedule: ['300ms', '600ms', '1s', '2s', '2s'], breaker: { failures: 1000 } },
    },
  }));
  agent = await server.token('agent', { name: 'ada' });
  supervisor = await server.token('supervisor', { name: 'sam' });
});
after(async () => {
  await server?.remove();
  for (const one of Object.values(at)) await one.stop();
});

let counter = 0;
const fresh = () => `${9_000_000 + (process.pid % 90_000) * 100 + (counter += 1)}`;

// The platform tells of something: the posts that it became.
async function told(name, payload, counts) {
  const body = JSON.stringify(payload);
  const headers = { 'content-type': 'application/json', ...(await useOf(name).signed(useOf(name).secrets, body)) };
  return taken(await server.request(`/v1/hooks/${name}`, { body, headers }), counts);
}

// A customer writes: the id of the message, and its case.
async function asked(name, { text = calm, more } = {}) {
  const id = fresh();
  const [one] = await told(name, useOf(name).message(id, text, more));
  return { id, native_id: one.native_id, case_id: one.case_id, post: one.id };
}

const replyTo = (case_id, text, { token = agent, ...more } = {}) => server.request(`/v1/cases/${case_id}/reply`, { token, json: { text, ...more } });

async function answered(case_id, text, more) {
  const answer = await replyTo(case_id, text, more);
  assert.equal(answer.status, 202, answer.text);
  assert.equal(answer.body.state, 'waiting');
  assert.equal(answer.body.text, text);
  assert.ok(answer.body.id);
  return answer.body;
}

const shown = async (case_id, id) => (await caseOf(server, agent, case_id)).replies.find((one) => one.id === id);
const becomes = (case_id, id, state) => eventually(async () => {
  const reply = await shown(case_id, id);
  return reply?.state === state ? reply : null;
}, { what: `the reply to be ${state}` });

// From the question to the answer that the platform has taken.
async function exchange(name, text, options = {}) {
  const question = await asked(name, options);
  const reply = await answered(question.case_id, text);
  return { ...question, reply: await becomes(question.case_id, reply.id, 'sent') };
}

describe('what arrives at the platform', () => {
  test("X: a post in reply, signed as another's OAuth 1.0a signs it; the case shows its id and address", async () => {
    const call = 'POST /2/tweets';
    at.x.answer(call, { status: 201, json: { data: { id: '1860000000000000777', text: 'x' } } }, () => ({ status: 201, json: { data: { id: fresh() } } }));
    const text = 'Sorry! Which order is it? 100% = 1 + 1 & more, "quoted" – ünïcödé 🛫';
    const { id, case_id, reply } = await exchange('x', text);
    const [got] = at.x.of(call).slice(-1);
    assert.deepEqual(got.json, { text, reply: { in_reply_to_tweet_id: id } });
    assert.match(got.headers['content-type'], /^application\/json/);

    const header = got.headers.authorization;
    assert.match(header, /^OAuth /);
    const parameters = Object.fromEntries(header.slice(6).split(/,\s*/).map((pair) => {
      const [, name, value] = /^([^=]+)="(.*)"$/.exec(pair);
      return [decodeURIComponent(name), decodeURIComponent(value)];
    }));
    const { oauth_signature: signature, ...oauth } = parameters;
    const { consumer_key, consumer_secret, access_token, access_token_secret } = uses.x.secrets;
    assert.equal(oauth.oauth_consumer_key, consumer_key);
    assert.equal(oauth.oauth_token, access_token);
    assert.equal(oauth.oauth_signature_method, 'HMAC-SHA1');
    assert.ok(Math.abs(Number(oauth.oauth_timestamp) - seconds()) < 60);
    assert.ok(oauth.oauth_nonce.length >= 16);
    const theirs = OAuth({ consumer: { key: consumer_key, secret: consumer_secret }, signature_method: 'HMAC-SHA1', hash_function: (base, key) => createHmac('sha1', key).update(base).digest('base64') });
    assert.equal(signature, theirs.getSignature({ url: at.x.url('/2/tweets'), method: 'POST', data: {} }, access_token_secret, oauth));

    assert.equal(reply.native_id, '1860000000000000777');
    assert.equal(reply.url, 'https://x.com/i/status/1860000000000000777');
    assert.equal(reply.by, 'ada');
    assert.equal(reply.error, null);
    assert.ok(reply.sent_at);
    // Two calls are never signed with the same nonce.
    const other = await exchange('x', 'And the date?');
    assert.notEqual(at.x.of(call).at(-1).headers.authorization.match(/oauth_nonce="([^"]+)"/)[1], oauth.oauth_nonce);
    assert.notEqual(other.case_id, case_id);
  });

  test('X: who answers our reply is on the same case', async () => {
    const ours = fresh();
    at.x.answer('POST /2/tweets', { status: 201, json: { data: { id: ours } } });
    const { id, case_id } = await exchange('x', 'Which order is it?');
    const [again] = await told('x', { for_user_id: '2244994945', tweet_create_events: [tweet(fresh(), '@acme 7711', { id_str: `7${id}`, screen_name: `c${id}` }, { in_reply_to_status_id_str: ours })] });
    assert.equal(again.case_id, case_id);
  });

  test('X: a direct message is answered with one', async () => {
    const id = fresh();
    const call = `POST /2/dm_conversations/with/8${id}/messages`;
    at.x.answer(call, { status: 201, json: { data: { dm_conversation_id: `2244994945-8${id}`, dm_event_id: `5${id}` } } });
    const [message] = await told('x', {
      for_user_id: '2244994945',
      direct_message_events: [{ type: 'message_create', id, created_timestamp: String(Date.now()), message_create: { target: { recipient_id: '2244994945' }, sender_id: `8${id}`, message_data: { text: 'my booking is X7Q2LM', entities: {} } } }],
      users: { [`8${id}`]: { id: `8${id}`, name: 'Dee', screen_name: `d${id}` } },
    });
    const reply = await answered(message.case_id, 'x'.repeat(1000));
    await becomes(message.case_id, reply.id, 'sent');
    const [got] = at.x.of(call);
    assert.deepEqual(got.json, { text: 'x'.repeat(1000) });
    assert.equal((await shown(message.case_id, reply.id)).native_id, `5${id}`);
  });

  test("LINE: the push that LINE's own client makes, with a retry key", async () => {
    const call = 'POST /v2/bot/message/push';
    at.line.answer(call, { json: { sentMessages: [{ id: '461230966842064897', quoteToken: 'q' }] } });
    const { id, reply } = await exchange('line', 'We are on our way.\nTen minutes.');
    const [got] = at.line.of(call);
    const key = got.headers['x-line-retry-key'];
    assert.match(key, /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/);
    const client = new messagingApi.MessagingApiClient({ channelAccessToken: uses.line.secrets.channel_access_token, baseURL: at.line.url() });
    await client.pushMessage({ to: `U${id}`, messages: [{ type: 'text', text: 'We are on our way.\nTen minutes.' }] }, key);
    const theirs = at.line.of(call).at(-1);
    assert.notEqual(theirs, got);
    assert.deepEqual(got.json, theirs.json);
    for (const name of ['authorization', 'x-line-retry-key']) assert.equal(got.headers[name], theirs.headers[name], name);
    assert.equal(reply.native_id, '461230966842064897');
  });

  test("Telegram: sendMessage with the bot's token, as an answer to the message; a business account's through its connection", async () => {
    const call = `POST /bot${uses.telegram.secrets.bot_token}/sendMessage`;
    at.telegram.answer((one) => decodeURIComponent(`${one.method} ${one.path}`) === call, (one) => ({ json: { ok: true, result: { message_id: 9001, date: seconds(), chat: { id: Number(one.form.chat_id), type: 'private' }, text: one.form.text } } }));
    const { id, reply } = await exchange('telegram', 'Boarding waits for you. <b>B7</b> & *hurry*');
    const [got] = at.telegram.calls.slice(-1);
    assert.equal(decodeURIComponent(got.path), `/bot${uses.telegram.secrets.bot_token}/sendMessage`);
    assert.equal(got.form.chat_id, id);
    assert.equal(got.form.text, 'Boarding waits for you. <b>B7</b> & *hurry*');
    assert.equal(JSON.parse(got.form.reply_parameters).message_id, Number(id));
    assert.equal(got.form.parse_mode, undefined, 'what an agent writes is no markup');
    assert.equal(got.form.business_connection_id, undefined);
    assert.equal(reply.native_id, `${id}:9001`);

    const other = fresh();
    const { message } = uses.telegram.message(other, 'Is the shop open?');
    const [business] = await told('telegram', { update_id: Number(other), business_message: { ...message, business_connection_id: 'bc_71' } });
    const second = await answered(business.case_id, 'Until six.');
    await becomes(business.case_id, second.id, 'sent');
    const { form } = at.telegram.calls.at(-1);
    assert.equal(form.business_connection_id, 'bc_71');
    assert.equal(form.chat_id, other);
    assert.equal((await shown(business.case_id, second.id)).native_id, `bc_71:${other}:9001`);
  });

  test('Meta: each of its platforms in its own way, with the one token', async () => {
    const id = fresh();
    const bearer = `Bearer ${uses.meta.secrets.access_token}`;
    const instagram = '17841400000000001';
    const phone = '106540352242922';
    const change = (object, entry, field, value) => ({ object, entry: [{ id: entry, time: seconds(), changes: [{ field, value }] }] });
    const text = 'We look into it & write here.';
    const kinds = [
      {
        say: uses.meta.message(`1${id}`, calm), call: 'POST /v25.0/me/messages', gives: { recipient_id: `1${id}`, message_id: `m_out_${id}` }, native: `m_out_${id}`,
        json: { recipient: { id: `1${id}` }, messaging_type: 'RESPONSE', message: { text } },
      },
      {
        say: { object: 'instagram', entry: [{ id: instagram, time: Date.now(), messaging: [{ sender: { id: `2${id}` }, recipient: { id: instagram }, timestamp: Date.now(), message: { mid: `ig_${id}`, text: calm } }] }] },
        call: 'POST /v25.0/me/messages', gives: { recipient_id: `2${id}`, message_id: `ig_out_${id}` }, native: `ig_out_${id}`, json: { recipient: { id: `2${id}` }, message: { text } },
      },
      {
        say: change('instagram', instagram, 'comments', { id: `3${id}`, from: { id: `4${id}`, username: `u${id}` }, media: { id: '18000000000000003' }, text: calm }),
        call: `POST /v25.0/3${id}/replies`, gives: { id: `3${id}9` }, native: `3${id}9`, form: { message: text },
      },
      {
        say: change('page', page, 'feed', { item: 'comment', verb: 'add', comment_id: `900100_${id}`, post_id: `${page}_900100`, parent_id: `${page}_900100`, from: { id: `5${id}`, name: 'Ann' }, message: calm, created_time: seconds() }),
        call: `POST /v25.0/900100_${id}/comments`, gives: { id: `900100_${id}9` }, native: `900100_${id}9`, form: { message: text }, url: `https://www.facebook.com/900100_${id}9`,
      },
      {
        say: change('whatsapp_business_account', '102290129340398', 'messages', { messaging_product: 'whatsapp', metadata: { display_phone_number: '15550783881', phone_number_id: phone }, contacts: [{ profile: { name: 'Sheena' }, wa_id: `1650${id}` }], messages: [{ from: `1650${id}`, id: `wamid.${id}`, timestamp: String(seconds()), type: 'text', text: { body: calm } }] }),
        call: `POST /v25.0/${phone}/messages`, gives: { messaging_product: 'whatsapp', contacts: [{ input: `1650${id}`, wa_id: `1650${id}` }], messages: [{ id: `wamid.out${id}` }] }, native: `wamid.out${id}`,
        json: { messaging_product: 'whatsapp', recipient_type: 'individual', to: `1650${id}`, context: { message_id: `wamid.${id}` }, type: 'text', text: { body: text } },
      },
      {
        say: change('whatsapp_business_account', '102290129340398', 'messages', { messaging_product: 'whatsapp', metadata: { display_phone_number: '15550783881', phone_number_id: phone }, messages: [{ from_user_id: `US.${id}`, id: `wamid.b${id}`, timestamp: String(seconds()), type: 'text', text: { body: calm } }] }),
        call: `POST /v25.0/${phone}/messages`, gives: { messages: [{ id: `wamid.bout${id}` }] }, native: `wamid.bout${id}`,
        json: { messaging_product: 'whatsapp', recipient_type: 'individual', recipient: `US.${id}`, context: { message_id: `wamid.b${id}` }, type: 'text', text: { body: text } },
      },
      {
        say: { app_id: '1', topic: 'moderate', target_id: '1', time: seconds(), subscription_id: '1', has_uid_field: false, values: [{ field: 'replies', value: { id: `6${id}`, username: `t${id}`, text: calm, media_type: 'TEXT', permalink: 'https://www.threads.net/@t/post/1', replied_to: { id: '88' }, root_post: { id: '88', owner_id: '1', username: 'acme' }, shortcode: 's', timestamp: new Date().toISOString() } }] },
        call: 'POST /threads/v1.0/me/threads_publish', gives: { id: `6${id}9` }, native: `6${id}9`, form: { creation_id: `container-${id}` },
        first: { call: 'POST /threads/v1.0/me/threads', gives: { id: `container-${id}` }, form: { media_type: 'TEXT', text, reply_to_id: `6${id}` } },
      },
    ];
    for (const kind of kinds) {
      if (kind.first) at.meta.answer(kind.first.call, { json: kind.first.gives });
      at.meta.answer(kind.call, { json: kind.gives });
      const [post] = await told('meta', kind.say);
      const reply = await answered(post.case_id, text);
      const sent = await becomes(post.case_id, reply.id, 'sent');
      const got = at.meta.of(kind.call).at(-1);
      if (kind.json) assert.deepEqual(got.json, kind.json);
      if (kind.form) assert.deepEqual(got.form, kind.form);
      assert.equal(got.headers.authorization, bearer);
      assert.equal(sent.native_id, kind.native);
      assert.equal(sent.url, kind.url ?? null);
      if (kind.first) assert.deepEqual(at.meta.of(kind.first.call).at(-1).form, kind.first.form);
    }
  });

  test('LinkedIn, Viber, TikTok: as each wants it', async () => {
    const text = 'Thank you, we are on it.';
    const comment = /^POST \/rest\/socialActions\//;
    at.linkedin.answer(comment, (call) => ({ status: 201, json: { id: '71', commentUrn: 'urn:li:comment:(urn:li:activity:70,71)', object: 'urn:li:activity:70', path: call.path } }));
    const linkedin = await exchange('linkedin', text);
    const [one] = at.linkedin.of(comment);
    const urn = `urn:li:comment:(urn:li:activity:70,${linkedin.id})`;
    assert.equal(linkedin.native_id, urn);
    assert.equal(one.target, `/rest/socialActions/${encodeURIComponent(urn).replace(/[()]/g, (c) => (c === '(' ? '%28' : '%29'))}/comments`);
    assert.deepEqual(one.json, { actor: organization, object: 'urn:li:activity:70', parentComment: urn, message: { text } });
    assert.equal(one.headers['linkedin-version'], '202606');
    assert.equal(one.headers['x-restli-protocol-version'], '2.0.0');
    assert.equal(linkedin.reply.native_id, 'urn:li:comment:(urn:li:activity:70,71)');

    at.viber.answer('POST /pa/send_message', { json: { status: 0, status_message: 'ok', message_token: '5741311803571721087', chat_hostname: 'SN-CHAT-05_' } });
    const viber = await exchange('viber', text);
    const [two] = at.viber.of('POST /pa/send_message');
    assert.deepEqual(two.json, { receiver: `${viber.id}=`, type: 'text', text, sender: { name: 'Acme' } });
    assert.equal(two.headers['x-viber-auth-token'], uses.viber.secrets.auth_token);
    assert.equal(viber.reply.native_id, '5741311803571721087');

    at.tiktok.answer('POST /business/comment/reply/create/', { json: { code: 0, message: 'OK', request_id: 'r', data: { comment_id: '7412345678901230001' } } });
    const tiktok = await exchange('tiktok', text);
    const [three] = at.tiktok.of('POST /business/comment/reply/create/');
    assert.deepEqual(three.json, { business_id: 'open-acme', video_id: '7400', comment_id: `74${tiktok.id}`, text });
    assert.equal(three.headers['access-token'], uses.tiktok.secrets.access_token);
    assert.equal(tiktok.reply.native_id, '7412345678901230001');
  });

  test('Mastodon: the author is named in it; a direct message stays one', async () => {
    const call = 'POST /api/v1/statuses';
    at.mastodon.answer(call, (one) => ({ json: { id: '113500000000009001', url: 'https://social.example/@acme/113500000000009001', visibility: one.json.visibility } }));
    const { id, reply } = await exchange('mastodon', 'A colleague is on the way.');
    const [got] = at.mastodon.of(call);
    assert.deepEqual(got.json, { status: `@h${id}@other.example A colleague is on the way.`, in_reply_to_id: id, visibility: 'unlisted' });
    assert.ok(got.headers['idempotency-key']);
    assert.equal(reply.text, 'A colleague is on the way.', 'the case shows what the agent wrote');
    assert.equal(reply.url, 'https://social.example/@acme/113500000000009001');
    await exchange('mastodon', 'Only you see this.', { more: { visibility: 'direct' } });
    assert.equal(at.mastodon.of(call).at(-1).json.visibility, 'direct');
  });
});

describe('a platform that counts calls', () => {
  test('429 with Retry-After is waited for, and no other reply of the source goes meanwhile', async () => {
    const call = 'POST /2/tweets';
    at['x-busy'].answer(call, { status: 429, headers: { 'retry-after': '3' }, json: { title: 'Too Many Requests', status: 429 } }, (one) => ({ status: 201, json: { data: { id: `88${one.json.reply.in_reply_to_tweet_id}` } } }));
    const [first, second] = [await asked('x-busy'), await asked('x-busy')];
    const held = await answered(first.case_id, 'First.');
    const [limited] = await at['x-busy'].called(call);
    await eventually(async () => /429|Too Many/.test((await shown(first.case_id, held.id)).error ?? ''), { what: 'the case to say why it waits' });
    assert.equal((await shown(first.case_id, held.id)).state, 'waiting');
    const other = await answered(second.case_id, 'Second.');
    await becomes(first.case_id, held.id, 'sent');
    await becomes(second.case_id, other.id, 'sent');
    const later = at['x-busy'].of(call).slice(1);
    assert.equal(later.length, 2);
    for (const one of later) assert.ok(one.at - limited.at >= 2900, `${one.at - limited.at} ms after the limit`);
    // What does not concern that source goes at once.
    const free = Date.now();
    await exchange('line', 'Nobody told us to wait.');
    assert.ok(Date.now() - free < 20_000);
  });

  test('when an answer says that there are no calls left, the next waits until there are', async () => {
    const call = 'POST /2/tweets';
    const reset = seconds() + 4;
    at['x-few'].answer(call, { status: 201, headers: { 'x-rate-limit-limit': '100', 'x-rate-limit-remaining': '0', 'x-rate-limit-reset': String(reset) }, json: { data: { id: fresh() } } }, (one) => ({ status: 201, json: { data: { id: `89${one.json.reply.in_reply_to_tweet_id}` } } }));
    await exchange('x-few', 'The last one for now.');
    const { case_id } = await asked('x-few');
    const reply = await answered(case_id, 'Once there are calls again.');
    await becomes(case_id, reply.id, 'sent');
    const [, second] = at['x-few'].of(call);
    assert.ok(second.at >= reset * 1000 - 200, `${reset * 1000 - second.at} ms too early`);
  });

  test('Telegram says it in the body, and that counts too', async () => {
    const call = /sendMessage$/;
    at['telegram-busy'].answer(call, { status: 429, json: { ok: false, error_code: 429, description: 'Too Many Requests: retry after 3', parameters: { retry_after: 3 } } }, { json: { ok: true, result: { message_id: 9002, chat: { id: 1 } } } });
    await exchange('telegram-busy', 'Later, then.');
    const [limited, again] = at['telegram-busy'].of(call);
    assert.ok(again.at - limited.at >= 2900, `${again.at - limited.at} ms`);
  });
});

describe('a platform that fails', () => {
  test('500, then 200: it is sent once more, and shown once', async () => {
    const call = 'POST /v2/bot/message/push';
    at.line.answer(call, { status: 500, json: { message: 'Internal error' } }, { json: { sentMessages: [{ id: '51' }] } });
    const from = at.line.of(call).length;
    const { case_id, reply } = await exchange('line', 'Here we are.');
    const calls = at.line.of(call).slice(from);
    assert.equal(calls.length, 2);
    assert.deepEqual(calls[1].json, calls[0].json);
    assert.equal(reply.native_id, '51');
    assert.equal((await caseOf(server, agent, case_id)).replies.length, 1);
    await sleep(1500);
    assert.equal(at.line.of(call).length, from + 2, 'what was taken is not sent again');
  });

  test('a 4xx is final: one call, and the case says in the words of the platform why', async () => {
    const call = 'POST /2/tweets';
    at.x.answer(call, { status: 403, json: { detail: 'You are not permitted to reply to this conversation.', type: 'about:blank', title: 'Forbidden', status: 403 } });
    const from = at.x.of(call).length;
    const { case_id } = await asked('x');
    const reply = await answered(case_id, 'May we?');
    const failed = await becomes(case_id, reply.id, 'failed');
    assert.match(failed.error, /403/);
    assert.match(failed.error, /not permitted to reply to this conversation/);
    assert.equal(failed.native_id, null);
    await sleep(1500);
    assert.equal(at.x.of(call).length, from + 1);
    // The customer is still not answered.
    const found = await caseOf(server, agent, case_id);
    assert.equal(found.clocks.first_response.answered_at, null);
    assert.notEqual(found.state, 'waiting_customer');
  });

  test('a 200 that says no is a no (Viber, TikTok)', async () => {
    at.viber.answer('POST /pa/send_message', { json: { status: 6, status_message: 'notSubscribed', message_token: 0 } });
    at.tiktok.answer('POST /business/comment/reply/create/', { json: { code: 40002, message: 'The comment was deleted.', request_id: 'r', data: {} } });
    for (const [name, words] of [['viber', /notSubscribed/], ['tiktok', /comment was deleted/]]) {
      const { case_id } = await asked(name);
      const reply = await answered(case_id, 'Hello?');
      assert.match((await becomes(case_id, reply.id, 'failed')).error, words);
    }
  });

  test("a failure that passes is tried again although its status is a 400 (Meta's codes)", async () => {
    const call = 'POST /v25.0/me/messages';
    at.meta.answer(call, { status: 400, json: { error: { message: 'Please reduce the amount of data', type: 'OAuthException', code: 4, is_transient: true } } }, { json: { recipient_id: '1', message_id: `m_again_${fresh()}` } });
    const from = at.meta.of(call).length;
    await exchange('meta', 'Once more.');
    assert.equal(at.meta.of(call).length, from + 2);
    at.meta.answer(call, { status: 400, json: { error: { message: '(#10) This message is sent outside of allowed window.', type: 'OAuthException', code: 10, error_subcode: 2534022 } } });
    const { case_id } = await asked('meta');
    const reply = await answered(case_id, 'Too late?');
    assert.match((await becomes(case_id, reply.id, 'failed')).error, /outside of allowed window/);
  });

  test('a platform that stays down: the reply fails at the end of the schedule, and a person can send it again', async () => {
    const call = 'POST /v2/bot/message/push';
    at['line-busy'].answer(call, { status: 503 });
    const { case_id } = await asked('line-busy');
    const reply = await answered(case_id, 'Can you hear us?');
    const failed = await eventually(async () => {
      const now = await shown(case_id, reply.id);
      return now.state === 'failed' ? now : null;
    }, { timeout: 60_000, what: 'the reply to be given up' });
    assert.match(failed.error, /503/);
    const key = at['line-busy'].of(call)[0].headers['x-line-retry-key'];
    at['line-busy'].answer(call, { json: { sentMessages: [{ id: '52' }] } });
    const retried = await server.request(`/v1/deliveries/${failed.delivery}/retry`, { token: supervisor, json: {} });
    assert.ok(retried.status === 200 || retried.status === 202, retried.text);
    assert.equal((await becomes(case_id, reply.id, 'sent')).native_id, '52');
    for (const one of at['line-busy'].of(call)) assert.equal(one.headers['x-line-retry-key'], key, 'the same on every attempt');
  });
});

describe('what is refused before it is sent', () => {
  test('a reply that is too long is 422 with its length, as the platform counts', async () => {
    const { case_id } = await asked('x');
    const calls = at.x.calls.length;
    for (const [text, length] of [['x'.repeat(281), 281], ['線'.repeat(141), 282], [`${'x'.repeat(258)} https://example.com/`, 282]]) {
      const answer = await replyTo(case_id, text);
      const problem = refused(answer, 422);
      const fault = problem.errors.find((one) => one.pointer === '/text');
      assert.ok(fault, answer.text);
      assert.match(fault.detail, new RegExp(`\\b${length}\\b`));
      assert.match(fault.detail, /\b280\b/);
    }
    assert.deepEqual((await caseOf(server, agent, case_id)).replies, []);
    assert.equal(at.x.calls.length, calls);
    // A link counts as 23 characters, however long it is; and 280 is not too long.
    at.x.answer('POST /2/tweets', (one) => ({ status: 201, json: { data: { id: `90${one.json.text.length}` } } }));
    for (const text of [`${'x'.repeat(256)} https://example.com/${'a/'.repeat(100)}`, 'y'.repeat(280)]) {
      const reply = await answered(case_id, text);
      await becomes(case_id, reply.id, 'sent');
    }
  });

  test('what the platform adds counts too (Mastodon: who is answered)', async () => {
    const { id, case_id } = await asked('mastodon');
    const lead = `@h${id}@other.example `.length;
    refused(await replyTo(case_id, 'x'.repeat(501 - lead)), 422);
    at.mastodon.answer('POST /api/v1/statuses', { json: { id: fresh() } });
    const reply = await answered(case_id, 'x'.repeat(500 - lead));
    await becomes(case_id, reply.id, 'sent');
  });

  test('a source without what replies need says so; everything else of it works', async () => {
    const { case_id } = await asked('line-mute');
    const answer = await replyTo(case_id, 'Hello');
    const problem = refused(answer, 422);
    assert.match(JSON.stringify(problem), /channel_access_token/);
    assert.deepEqual((await caseOf(server, agent, case_id)).replies, []);
  });

  test('empty, not text, to no case, to a case of nobody, without a token, by a role that does not answer', async () => {
    const { case_id, post } = await asked('line');
    for (const json of [{}, { text: '' }, { text: 7 }, { text: null }, { text: 'x', post: 'nonsense' }]) {
      refused(await server.request(`/v1/cases/${case_id}/reply`, { token: agent, json }), 422);
    }
    refused(await replyTo('019412aa-0000-7000-8000-000000000000', 'x'), 404);
    refused(await server.request(`/v1/cases/${case_id}/reply`, { json: { text: 'x' } }), 401);
    const ops = await server.token('ops', { name: 'o', team: 'care' });
    refused(await replyTo(case_id, 'x', { token: ops }), 403);
    const other = await asked('line');
    refused(await replyTo(case_id, 'x', { post: other.post }), 422);
    at.line.answer('POST /v2/bot/message/push', { json: { sentMessages: [{ id: fresh() }] } });
    const reply = await answered(case_id, 'To this one.', { post });
    assert.equal(reply.post, post);
    await becomes(case_id, reply.id, 'sent');
  });
});

describe('nobody knows whether it arrived', () => {
  test('where a second call would be a second message, it is not made: the reply is unknown until a person says so', async () => {
    const call = /sendMessage$/;
    at.telegram.answer(call, { close: 'at once' });
    const from = at.telegram.of(call).length;
    const { case_id } = await asked('telegram');
    const reply = await answered(case_id, 'Did this arrive?');
    const unknown = await becomes(case_id, reply.id, 'unknown');
    assert.ok(unknown.error);
    await sleep(3000);
    assert.equal(at.telegram.of(call).length, from + 1, 'not by itself');
    at.telegram.answer(call, { json: { ok: true, result: { message_id: 9003, chat: { id: 1 } } } });
    const retried = await server.request(`/v1/deliveries/${unknown.delivery}/retry`, { token: supervisor, json: {} });
    assert.ok(retried.status === 200 || retried.status === 202, retried.text);
    await becomes(case_id, reply.id, 'sent');
    assert.equal(at.telegram.of(call).length, from + 2);
  });

  test('where the platform knows our key, it is made again with the same one (LINE, Mastodon)', async () => {
    const push = 'POST /v2/bot/message/push';
    at.line.answer(push, { close: 'at once' }, { status: 409, headers: { 'x-line-accepted-request-id': 'r1' }, json: { message: 'The retry key is already accepted', sentMessages: [{ id: '53', quoteToken: 'q' }] } });
    let from = at.line.of(push).length;
    const line = await exchange('line', 'Once.');
    const pushes = at.line.of(push).slice(from);
    assert.equal(pushes.length, 2);
    assert.equal(pushes[1].headers['x-line-retry-key'], pushes[0].headers['x-line-retry-key']);
    assert.deepEqual(pushes[1].json, pushes[0].json);
    assert.equal(line.reply.native_id, '53', 'that it was taken before is as good as that it is taken now');

    const call = 'POST /api/v1/statuses';
    at.mastodon.answer(call, { close: 'at once' }, { json: { id: fresh(), url: 'https://social.example/@acme/1' } });
    from = at.mastodon.of(call).length;
    await exchange('mastodon', 'Once here, too.');
    const posts = at.mastodon.of(call).slice(from);
    assert.equal(posts.length, 2);
    assert.equal(posts[1].headers['idempotency-key'], posts[0].headers['idempotency-key']);
  });

  test('where the platform refuses the same words twice, its no is the proof that they are there (X)', async () => {
    const call = 'POST /2/tweets';
    at.x.answer(call, { close: 'at once' }, { status: 403, json: { detail: 'You are not allowed to create a Tweet with duplicate content.', type: 'about:blank', title: 'Forbidden', status: 403 } });
    const from = at.x.of(call).length;
    const { case_id, id, reply } = await exchange('x', 'Said once.');
    assert.equal(at.x.of(call).length, from + 2);
    assert.equal(reply.native_id, null);
    // Which post it is we learn when it comes back.
    const ours = fresh();
    await told('x', { for_user_id: '2244994945', tweet_create_events: [tweet(ours, `@c${id} Said once.`, { id_str: '2244994945', screen_name: 'acme' }, { in_reply_to_status_id_str: id })] });
    assert.equal((await shown(case_id, reply.id)).native_id, ours);
    assert.equal((await caseOf(server, agent, case_id)).replies.length, 1);
  });

  test('without an earlier attempt in doubt, the same no is a no', async () => {
    at.x.answer('POST /2/tweets', { status: 403, json: { detail: 'You are not allowed to create a Tweet with duplicate content.', title: 'Forbidden', status: 403 } });
    const { case_id } = await asked('x');
    const reply = await answered(case_id, 'The same words as to somebody else.');
    assert.match((await becomes(case_id, reply.id, 'failed')).error, /duplicate content/);
  });
});

describe('our own post comes back', () => {
  test('it is the reply, not another one', async () => {
    const ours = fresh();
    at.x.answer('POST /2/tweets', { status: 201, json: { data: { id: ours } } });
    const { id, case_id, reply } = await exchange('x', 'We see it too: https://status.example/today');
    const echo = { for_user_id: '2244994945', tweet_create_events: [tweet(ours, `@c${id} We see it too: https://t.co/abc`, { id_str: '2244994945', screen_name: 'acme' }, { in_reply_to_status_id_str: id })] };
    await told('x', echo, { accepted: 0, duplicates: 1 });
    const found = await caseOf(server, agent, case_id);
    assert.deepEqual(found.replies.map((one) => [one.id, one.state, one.native_id, one.text]), [[reply.id, 'sent', ours, 'We see it too: https://status.example/today']]);
    assert.equal(found.posts.length, 1);
    const { body } = await server.request(`/v1/cases/${case_id}/timeline`, { token: agent });
    assert.equal(body.items.filter((one) => one.type === 'reply').length, 1);
  });

  test('one that comes before the answer to our call does not show twice either', async () => {
    const mid = `m_early_${fresh()}`;
    const call = 'POST /v25.0/me/messages';
    const { id, case_id } = await asked('meta');
    at.meta.answer(call, async () => {
      await told('meta', { object: 'page', entry: [{ id: page, time: Date.now(), messaging: [{ sender: { id: page }, recipient: { id }, timestamp: Date.now(), message: { is_echo: true, app_id: 1, mid, text: 'Early bird.' } }] }] });
      return { json: { recipient_id: id, message_id: mid } };
    });
    const reply = await answered(case_id, 'Early bird.');
    await becomes(case_id, reply.id, 'sent');
    await sleep(500);
    const found = await caseOf(server, agent, case_id);
    assert.deepEqual(found.replies.map((one) => [one.id, one.state, one.native_id]), [[reply.id, 'sent', mid]]);
  });

  test('it settles a reply of which nobody knew', async () => {
    const call = 'POST /v25.0/me/messages';
    at.meta.answer(call, { close: 'at once' });
    const { id, case_id } = await asked('meta');
    const reply = await answered(case_id, 'Your refund is on its way.');
    await becomes(case_id, reply.id, 'unknown');
    const mid = `m_late_${id}`;
    await told('meta', { object: 'page', entry: [{ id: page, time: Date.now(), messaging: [{ sender: { id: page }, recipient: { id }, timestamp: Date.now(), message: { is_echo: true, app_id: 1, mid, text: 'Your refund is on its way.' } }] }] });
    const settled = await becomes(case_id, reply.id, 'sent');
    assert.equal(settled.native_id, mid);
    assert.equal(settled.error, null);
    const found = await caseOf(server, agent, case_id);
    assert.equal(found.replies.length, 1);
    assert.ok(found.clocks.first_response.answered_at);
    await sleep(1500);
    assert.equal((await shown(case_id, reply.id)).state, 'sent');
  });
});

describe('on the desk', () => {
  test('who answers holds the case; when it has gone, the customer is waited for', async () => {
    at.line.answer('POST /v2/bot/message/push', { delay: 700, json: { sentMessages: [{ id: fresh() }] } });
    const { case_id } = await asked('line');
    const reply = await answered(case_id, 'One moment.');
    const held = await caseOf(server, agent, case_id);
    assert.equal(held.assignee.name, 'ada');
    assert.equal(held.clocks.first_response.answered_at, null, 'not answered before it is there');
    const other = await server.token('agent', { name: 'bob' });
    refused(await replyTo(case_id, 'Me too.', { token: other }), 409);
    await becomes(case_id, reply.id, 'sent');
    const done = await caseOf(server, agent, case_id);
    assert.equal(done.state, 'waiting_customer');
    assert.ok(done.clocks.first_response.answered_at);
    assert.deepEqual(done.replies.map((one) => one.text), ['One moment.']);
  });

  test('replies of one case go one after the other, never two at a time', async () => {
    const call = 'POST /2/tweets';
    at['x-order'].answer(call, { status: 500 }, (one) => ({ delay: 200, status: 201, json: { data: { id: `91${one.at}` } } }));
    const { case_id } = await asked('x-order');
    const texts = ['One.', 'Two.', 'Three.'];
    const replies = [];
    for (const text of texts) replies.push(await answered(case_id, text));
    for (const reply of replies) await becomes(case_id, reply.id, 'sent');
    const calls = at['x-order'].of(call);
    assert.deepEqual(calls.slice(-texts.length).map((one) => one.json.text).sort(), [...texts].sort());
    assert.deepEqual((await caseOf(server, agent, case_id)).replies.map((one) => one.text), texts);
    for (let i = 2; i < calls.length; i += 1) assert.ok(calls[i].at - calls[i - 1].at >= 190, 'the one before has its answer');
  });

  test('one that has to wait holds back those behind it: they leave in the order in which they were written', async () => {
    const call = 'POST /2/tweets';
    const taken_ = (one) => ({ status: 201, json: { data: { id: `87${one.json.reply.in_reply_to_tweet_id}${one.json.text.length}` } } });
    const { case_id } = await asked('x-order');
    const from = at['x-order'].of(call).length;
    at['x-order'].answer(call, { status: 503 }, { status: 503 }, taken_);
    const replies = [];
    for (const text of ['first', 'second!', 'and third']) replies.push(await answered(case_id, text));
    for (const { id } of replies) await becomes(case_id, id, 'sent');
    assert.deepEqual(at['x-order'].of(call).slice(from).map((one) => one.json.text), ['first', 'first', 'first', 'second!', 'and third']);
  });

  test('what would answer a post that its author has deleted is not sent', async () => {
    const call = 'POST /2/tweets';
    const { id, case_id } = await asked('x-order');
    at['x-order'].answer(call, { status: 503 });
    const reply = await answered(case_id, 'We are looking into it');
    await eventually(async () => (await shown(case_id, reply.id)).error, { what: 'the first attempt' });
    await told('x-order', { for_user_id: '2244994945', tweet_delete_events: [{ status: { id, user_id: `7${id}` }, timestamp_ms: String(Date.now()) }] });
    const { error } = await becomes(case_id, reply.id, 'failed');
    assert.match(error, /the customer deleted the post/);
    const calls = at['x-order'].of(call).length;
    await sleep(1500);
    assert.equal(at['x-order'].of(call).length, calls);
  });

  test('the same request with the same Idempotency-Key is one reply', async () => {
    const call = 'POST /v2/bot/message/push';
    at.line.answer(call, { json: { sentMessages: [{ id: fresh() }] } });
    const { case_id } = await asked('line');
    const from = at.line.of(call).length;
    const send = () => server.request(`/v1/cases/${case_id}/reply`, { token: agent, json: { text: 'Just once.' }, headers: { 'idempotency-key': `k-${case_id}` } });
    const [one, two] = [await send(), await send()];
    assert.equal(one.status, 202, one.text);
    assert.equal(two.status, 202, two.text);
    assert.equal(two.body.id, one.body.id);
    await becomes(case_id, one.body.id, 'sent');
    await sleep(1000);
    assert.equal(at.line.of(call).length, from + 1);
  });

  test('a platform that says a secret back does not make it known', async () => {
    const secret = uses.telegram.secrets.bot_token;
    at.telegram.answer((one) => one.json?.text === 'Echo' || one.form?.text === 'Echo', (one) => ({ status: 404, json: { ok: false, description: `no such path ${decodeURIComponent(one.path)} nor ${one.path}` } }));
    const { case_id } = await asked('telegram');
    const { id } = await answered(case_id, 'Echo');
    const { error } = await becomes(case_id, id, 'failed');
    assert.match(error, /no such path \/bot\*\*\*\/sendMessage/);
    assert.ok(!error.includes(secret) && !error.includes(encodeURIComponent(secret)), error);
  });

  test('no secret is told to anybody: not in the log, not by the API, not in the database', async () => {
    const secrets = [...Object.values(uses)].flatMap((use) => Object.values(use.secrets));
    const log = server.log();
    const sources = (await server.request('/v1/sources', { token: supervisor })).text;
    const deliveries = (await server.request('/v1/deliveries', { token: supervisor })).text;
    const bodies = JSON.stringify(await server.sql('SELECT * FROM deliveries'));
    for (const secret of secrets) for (const [what, text] of Object.entries({ log, sources, deliveries, bodies })) assert.ok(!text.includes(secret), `${secret} in ${what}`);
  });
});

describe('what came by its id only', () => {
  test('an Instagram mention gets its words from the platform, and is then a case as any other', async () => {
    const comment = `179${fresh()}`;
    at.meta.answer('GET /v25.0/17841400000000001', { json: { mentioned_comment: { id: comment, text: '@acme the second bag is gone too', timestamp: new Date().toISOString().replace(/\.\d+Z/, '+0000'), username: 'mo.z' }, id: '17841400000000001' } });
    const [pending] = await told('meta', { object: 'instagram', entry: [{ id: '17841400000000001', time: seconds(), changes: [{ field: 'mentions', value: { comment_id: comment, media_id: '18000000000000003' } }] }] });
    const row = await eventually(async () => (await server.sql(`SELECT * FROM posts WHERE id = '${pending.id}'`)).find((one) => one.state === 'judged'), { what: 'its text' });
    const found = await caseOf(server, agent, row.case_id);
    assert.equal(found.posts[0].text, '@acme the second bag is gone too');
    assert.equal(found.customer.handle, 'mo.z');
    const [call] = at.meta.of('GET /v25.0/17841400000000001').slice(-1);
    assert.equal(call.query.get('fields'), `mentioned_comment.comment_id(${comment}){id,text,timestamp,username}`);
    assert.equal(call.headers.authorization, `Bearer ${uses.meta.secrets.access_token}`);
  });

  test('a LinkedIn comment that is no longer there is deleted here; one that cannot be read is shown without its words', async () => {
    const gone = fresh();
    const path = (id) => `GET /rest/socialActions/urn%3Ali%3Aactivity%3A70/comments/${id}`;
    at.linkedin.answer(path(gone), { status: 404, json: { message: 'Not found', status: 404 } });
    const [one] = await told('linkedin', uses.linkedin.message(gone));
    await eventually(async () => (await server.sql(`SELECT state FROM posts WHERE id = '${one.id}'`))[0].state === 'deleted', { what: 'the deletion' });

    const secret = fresh();
    at.linkedin.answer(path(secret), { status: 403, json: { message: 'Not enough permissions to access: comments.GET', status: 403 } });
    const [two] = await told('linkedin', uses.linkedin.message(secret));
    const row = await eventually(async () => (await server.sql(`SELECT * FROM posts WHERE id = '${two.id}'`)).find((post) => post.case_id), { what: 'the case' });
    const found = await caseOf(server, agent, row.case_id);
    const shown = found.posts.find((post) => post.id === two.id);
    assert.equal(shown.text, '');
    assert.match(JSON.stringify(shown.verdict), /Not enough permissions/);
  });
});

// Last: the server is killed in the middle.
describe('the server dies while a reply is on its way', () => {
  test('with a key of ours it goes once more after the restart, with the same one', async () => {
    const call = 'POST /v2/bot/message/push';
    at.line.answer(call, { hang: true }, { status: 409, json: { message: 'The retry key is already accepted', sentMessages: [{ id: '54' }] } });
    const from = at.line.of(call).length;
    const { case_id } = await asked('line');
    const reply = await answered(case_id, 'Still there?');
    await at.line.called(call, from + 1);
    await server.kill9();
    await server.restart();
    assert.equal((await becomes(case_id, reply.id, 'sent')).native_id, '54');
    const calls = at.line.of(call).slice(from);
    assert.equal(calls.length, 2);
    assert.equal(calls[1].headers['x-line-retry-key'], calls[0].headers['x-line-retry-key']);
  });

  test('without one it is unknown after the restart, and does not go by itself', async () => {
    const call = /sendMessage$/;
    at.telegram.answer(call, { hang: true });
    const from = at.telegram.of(call).length;
    const { case_id } = await asked('telegram');
    const reply = await answered(case_id, 'Cut off.');
    await at.telegram.called(call, from + 1);
    await server.kill9();
    await server.restart();
    await becomes(case_id, reply.id, 'unknown');
    await sleep(2000);
    assert.equal(at.telegram.of(call).length, from + 1);
  });

  test('one that was answered with 202 and had not left goes after the restart, once', async () => {
    const call = 'POST /v2/bot/message/push';
    at.line.answer(call, { status: 503, headers: { 'retry-after': '2' } }, { json: { sentMessages: [{ id: '55' }] } });
    const { case_id } = await asked('line');
    const from = at.line.of(call).length;
    const reply = await answered(case_id, 'Promised.');
    await at.line.called(call, from + 1);
    await server.kill9();
    await server.restart();
    await becomes(case_id, reply.id, 'sent');
    assert.equal((await caseOf(server, agent, case_id)).replies.length, 1);
  });
});
