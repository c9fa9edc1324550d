// Makes docs/openapi.json, which the binary serves, from docs/openapi.yaml, which people read and edit:
//   node tests/integration/openapi-json.mjs
import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';

const yamlFile = new URL('../../docs/openapi.yaml', import.meta.url);
export const jsonFile = new URL('../../docs/openapi.json', import.meta.url);

export async function read() {
  return parse(await readFile(yamlFile, 'utf8'), { maxAliasCount: -1 });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await writeFile(jsonFile, `${JSON.stringify(await read(), null, 1)}\n`);
}
