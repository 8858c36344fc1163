// SPDX-License-Identifier: Apache-2.0
// MinIO's client for JavaScript.
import { Client } from "minio";
import { loop, told } from "./node_loop.mjs";

const s3 = new Client({
	endPoint: told.host, port: told.port, useSSL: told.tls, region: told.region, pathStyle: told.pathStyle,
	accessKey: told.key, secretKey: told.secret, partSize: 5 << 20,
});

loop({
	headBucket: async () => {
		if (!await s3.bucketExists(told.bucket))
			throw new Error("it says that there is no such bucket");
	},
	list: async () => (await s3.listObjectsV2(told.bucket, "", true).toArray()).map((x) => x.name),
	put: async (key, path) => void await s3.fPutObject(told.bucket, key, path),
	get: async (key, path) => void await s3.fGetObject(told.bucket, key, path),
	head: async (key) => (await s3.statObject(told.bucket, key)).size,
	delete: async (key) => void await s3.removeObject(told.bucket, key),
});
