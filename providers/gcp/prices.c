/* SPDX-License-Identifier: Apache-2.0 */
/* prices.c - the whole price list of Compute Engine, kept for an hour */

#include <string.h>
#include <time.h>

#include "market.h"

/* What is read of each SKU: a page of 5,000 whole ones has many megabytes. */
#define FIELDS                                                                                     \
	"nextPageToken%2Cskus(description%2Ccategory(usageType)%2CserviceRegions%2Cpricing"       \
	"Info(pricingExpression(usageUnit%2CtieredRates(unitPrice))))"

static int fetch(const struct gcp_client *client, struct gcp_prices *prices,
		 struct souk_error *err)
{
	GCP_AUTO_BUF struct souk_buf url = { 0 };
	struct gcp_request request = {
		.what = "skus.list",
		.doing = "get the price list",
		.flags = SOUK_HTTP_RETRY,
		.timeout_ms = 120000,
		.cache_seconds = GCP_LIST_SECONDS,
	};
	int ret;

	souk_buf_init(&url, GCP_MAX_URL);
	ret = gcp_endpoint(client->call, GCP_BILLING, &url, err);
	if (ret < 0)
		return ret;
	/* 6F81-5844-456A is Compute Engine. */
	souk_buf_str(&url, "/v1/services/6F81-5844-456A/skus?pageSize=5000&currencyCode=USD"
			   "&prettyPrint=false&fields=" FIELDS);
	ret = souk_buf_failed(&url, err);
	if (ret < 0)
		return ret;
	request.url = url.data;
	ret = gcp_pages(client, &request, gcp_prices_take_page, prices, err);
	if (ret < 0)
		return ret;
	gcp_prices_sort(prices);
	souk_call_log(client->call, SOUK_LOG_INFO,
		      "%zu SKUs, %zu prices; %zu SKUs without a usable price, %zu things at two "
		      "prices (the higher one counts)",
		      prices->n_skus, prices->n, prices->n_strange, prices->n_twice);
	if (!prices->n)
		return souk_error_set(err, SOUK_E_INTERNAL,
				      "the price list has none of the SKUs that are known");
	return SOUK_OK;
}

int gcp_prices_lock(const struct gcp_client *client, const struct gcp_prices **out,
		    struct souk_error *err)
{
	struct gcp *gcp = client->gcp;
	int64_t now = (int64_t)time(NULL);
	struct gcp_prices *fresh;
	int ret;

	pthread_mutex_lock(&gcp->prices_lock);
	if (gcp->prices && now - gcp->prices_at < GCP_LIST_SECONDS && now >= gcp->prices_at) {
		*out = gcp->prices;
		return SOUK_OK;
	}
	fresh = calloc(1, sizeof(*fresh));
	ret = fresh ? fetch(client, fresh, err) : gcp_nomem(err);
	if (ret < 0) {
		if (fresh)
			gcp_prices_fini(fresh);
		free(fresh);
		pthread_mutex_unlock(&gcp->prices_lock);
		return ret;
	}
	if (gcp->prices)
		gcp_prices_fini(gcp->prices);
	free(gcp->prices);
	gcp->prices = fresh;
	gcp->prices_at = now;
	*out = fresh;
	return SOUK_OK;
}

void gcp_prices_unlock(const struct gcp_client *client)
{
	pthread_mutex_unlock(&client->gcp->prices_lock);
}
