/* SPDX-License-Identifier: Apache-2.0 */
/* check.c - is the key good */

#include "market.h"

const char lambda_permissions[] =
	"An API key, made at https://cloud.lambda.ai/api-keys. Every key may do all that its account may;\n"
	"the account must be active, with a verified address and a means of payment.\n"
	"These are the requests that souk sends, below /api/v1:\n"
	"  GET    /instance-types, /instances, /ssh-keys, /firewall-rulesets\n"
	"  POST   /instance-operations/launch, /instance-operations/terminate, /ssh-keys\n"
	"  DELETE /ssh-keys/ID\n";

/* Lambda tells nobody whose a key is. */
int lambda_check(void *self, struct souk_call *call, struct souk_identity *out,
		 struct souk_error *err)
{
	static const struct lambda_request request = {
		.what = "ListInstances",
		.doing = "use the API key",
		.path = "/instances",
		/* A listing has the passwords of notebooks in it. */
		.flags = SOUK_HTTP_RETRY | SOUK_HTTP_SECRET_REPLY,
	};
	LAMBDA_AUTO_JSON struct json_object *reply = NULL;
	struct json_object *data = NULL;
	struct lambda *lambda = self;
	int ret = lambda_send(self, call, &request, &reply, &data, err);

	return ret < 0 ? ret : souk_identity_set_key(out, lambda->key, err);
}
