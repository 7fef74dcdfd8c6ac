/* SPDX-License-Identifier: Apache-2.0 */
/*
 * souk/provider.h - what a provider module sees of souk, and all that it sees
 *
 * A provider module puts one cloud on the market. It is a shared object named
 * souk-provider-NAME.so that links libsouk-provider, fills in one struct
 * souk_provider_ops and exports it with SOUK_PROVIDER_REGISTER(). souk finds it,
 * checks it and calls it; the module never calls up into souk, except through the
 * host functions at the end of this header.
 *
 * The life of a module:
 *
 *     dlopen, SOUK_PROVIDER_REGISTER        the ABI number and the required ops are checked
 *       open(call, &self)                   once per configured account
 *         check                             are the credentials good, and whose are they
 *         list_offers                       what is on sale; fills the catalog
 *         provision(spec)                   returns as soon as the cloud has accepted
 *           describe ... describe           the core polls until the machines run
 *           stop, start, open_ports
 *         teardown ... describe             the core repeats both until absence is confirmed twice
 *         list_instances                    what carries our tags: adoption, orphan search
 *       close(self)
 *
 * Every op is a set of short calls that can be begun again: the core owns each wait,
 * deadline, retry and cancellation. An op returns SOUK_OK (0) or a negative SOUK_E_ code
 * and fills the struct souk_error; code and scope decide what the core does next, the
 * message is for people. Outputs are ignored on failure, except those of provision: what
 * was added to its list before the failure is taken as created.
 *
 * This header is plain C99, can be included from C++ and needs no other header of souk.
 * Structs that cross the border begin with their size; members are only ever appended.
 * Text is UTF-8. A pointer that a module is given is borrowed until the op returns.
 */
#ifndef SOUK_PROVIDER_H
#define SOUK_PROVIDER_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The number that a module and a host must agree on. It changes only if something that
 * exists changes its meaning; additions do not change it. */
#define SOUK_PROVIDER_ABI 1

#if defined(__GNUC__)
#define SOUK_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))
#define SOUK_EXPORT __attribute__((visibility("default")))
#else
#define SOUK_PRINTF(fmt, args)
#define SOUK_EXPORT
#endif

/* ---- Errors --------------------------------------------------------------------- */

/* What went wrong, as far as somebody has to act on it. */
enum {
	SOUK_OK = 0,
	SOUK_E_CAPACITY = -1,	 /* sold out now, in the scope given: try the next candidate */
	SOUK_E_QUOTA = -2,	 /* the account may not have more of it, in the scope given */
	SOUK_E_AUTH = -3,	 /* credentials missing, expired, or not allowed to do this */
	SOUK_E_RATE_LIMIT = -4,	 /* too many requests: retry after retry_after_ms */
	SOUK_E_INVALID = -5,	 /* the request is wrong and will be wrong again */
	SOUK_E_NOT_FOUND = -6,	 /* what the request names does not exist */
	SOUK_E_CONFLICT = -7,	 /* it exists already, or is in a state that forbids this */
	SOUK_E_TIMEOUT = -8,	 /* no answer in time: it MAY HAVE TAKEN EFFECT; look before retrying */
	SOUK_E_TRANSIENT = -9,	 /* the cloud's own fault, nothing has taken effect: try again */
	SOUK_E_UNSUPPORTED = -10, /* this provider, or this offer, cannot do it */
	SOUK_E_NOMEM = -11,	 /* out of memory */
	SOUK_E_INTERNAL = -12,	 /* a bug, or an answer that makes no sense */
	SOUK_E_CANCELLED = -13	 /* souk_call_cancelled() was true; like TIMEOUT, it may have taken effect */
};

/* How far a failure reaches. Failover skips every candidate inside the scope. */
enum {
	SOUK_SCOPE_OFFER = 0,	/* this instance type, in this zone, with this market (spot or not) */
	SOUK_SCOPE_ZONE = 1,	/* the whole zone */
	SOUK_SCOPE_REGION = 2,	/* the whole region */
	SOUK_SCOPE_PROVIDER = 3 /* the whole provider, as configured */
};

#define SOUK_ERROR_MESSAGE_SIZE 512
#define SOUK_ERROR_HINT_SIZE 256
#define SOUK_ERROR_REASON_SIZE 64

/*
 * An error. Owned by the caller, who has set struct_size; recording one never allocates.
 * 'message' says what failed and with which input, lower case, no full stop, values in
 * single quotes. 'hint' says what to do, ideally the next command to type; it may be
 * empty. 'reason' is the cloud's own error code (such as InsufficientInstanceCapacity)
 * and may be empty; it is kept in the capacity ledger.
 */
struct souk_error {
	uint32_t struct_size;
	int32_t code;		 /* SOUK_E_... */
	int32_t scope;		 /* SOUK_SCOPE_... */
	uint32_t retry_after_ms; /* with RATE_LIMIT and TRANSIENT: wait at least so long; 0 unknown */
	char message[SOUK_ERROR_MESSAGE_SIZE];
	char hint[SOUK_ERROR_HINT_SIZE];
	char reason[SOUK_ERROR_REASON_SIZE];
};

#define SOUK_ERROR_INIT { .struct_size = sizeof(struct souk_error) }

/* ---- Things that cross the border ------------------------------------------------ */

struct souk_call;	   /* one call of an op: deadline, cancel flag, configuration, logger */
struct souk_offer_list;	   /* core object: offers found so far */
struct souk_instance_list; /* core object: instances found so far */
struct souk_quote_list;	   /* core object: lines of a quote */
struct souk_stream;	   /* core object: stdin, stdout and stderr of a command */
struct souk_http_reply;	   /* core object: an HTTP reply */
struct souk_http_request;  /* see below, with the host functions */
struct souk_buf;

/* souk_offer.flags */
enum {
	SOUK_OFFER_FREE = 1u << 0,	/* costs nothing (this computer, hosts of one's own): the default
					 * size of a task is not demanded of it */
	SOUK_OFFER_BURSTABLE = 1u << 1	/* vCPUs that are throttled when their credit is spent */
};

/*
 * An instance type, in a place, at a price. One row per zone where prices or presence
 * differ by zone; zone NULL means that the provider chooses one.
 */
struct souk_offer {
	uint32_t struct_size;
	uint32_t flags;			 /* SOUK_OFFER_... */
	const char *instance_type;	 /* required; the cloud's own name */
	const char *region;		 /* required */
	const char *zone;		 /* NULL: none, or the provider chooses */
	const char *arch;		 /* "x86_64" (also for NULL) or "arm64" */
	const char *accelerator;	 /* NULL: none; any usual spelling, the core makes it canonical */
	uint32_t accelerator_milli;	 /* thousandths of a device: 8000 is eight, 500 is half of one */
	uint32_t accelerator_memory_mib; /* of one device; 0 unknown */
	uint32_t vcpus_milli;		 /* thousandths of a vCPU */
	uint64_t memory_mib;
	uint64_t local_disk_mib;	 /* disks that belong to the machine and go with it */
	int64_t micros_per_hour;	 /* on-demand, millionths of 'currency' per hour; -1: not sold so */
	int64_t spot_micros_per_hour;	 /* the same for spot; -1: not sold so */
	char currency[4];		 /* "USD" (also for "") */
	int32_t available;		 /* machines in stock now; -1: the cloud does not say */
};

#define SOUK_OFFER_HEAD .struct_size = sizeof(struct souk_offer), .available = -1

/* souk_instance.status */
enum {
	SOUK_INSTANCE_PENDING = 0,
	SOUK_INSTANCE_RUNNING = 1,
	SOUK_INSTANCE_STOPPING = 2,
	SOUK_INSTANCE_STOPPED = 3,
	SOUK_INSTANCE_TERMINATING = 4, /* still seen, on its way out; may still cost */
	SOUK_INSTANCE_TERMINATED = 5,  /* costs nothing any more and can be forgotten */
	SOUK_INSTANCE_FAILED = 6       /* will never run; still has to be torn down */
};

struct souk_label {
	const char *key;
	const char *value;
};

/* A machine as the cloud tells of it. */
struct souk_instance {
	uint32_t struct_size;
	int32_t status;		   /* SOUK_INSTANCE_... */
	const char *id;		   /* required; the cloud's own id */
	const char *region;	   /* required */
	const char *zone;	   /* NULL: unknown */
	const char *instance_type; /* NULL: unknown */
	const char *cluster;	   /* from the tags; NULL: untagged */
	const char *owner;	   /* from the tags */
	const char *request_token; /* from the tags */
	const char *public_address; /* where SSH reaches it; NULL: not yet, or none */
	const char *private_address; /* how its siblings reach it; NULL: not yet */
	const char *ssh_user;	   /* NULL: "root" */
	uint32_t ssh_port;	   /* 0: 22 */
	uint32_t spot;		   /* 1: it can be taken away */
	const char *host_key;	   /* "ssh-ed25519 AAAA...": the SSH host key it was given at first boot, or
				    * that the cloud vouches for; NULL: unknown, the core pins the first it
				    * sees. provision should set it if spec.host_key_private was used */
	const char *status_reason; /* the cloud's words for why it is in this state; may be NULL */
	const char *shutdown_command; /* run on the machine, as ssh_user, ends it as spec.on_shutdown asks;
				       * NULL: "sudo shutdown -h now" */
	int64_t created_at;	   /* seconds since the epoch; 0 unknown */
	const char *kind;	   /* NULL: a machine. Else something besides machines that provision made,
				    * in the cloud's words ("security group"): see filter.besides */
	const struct souk_label *tags; /* those of the keys that filter.tag_keys asked for */
	uint32_t n_tags;
	uint32_t reserved;	   /* 0 */
};

#define SOUK_INSTANCE_HEAD .struct_size = sizeof(struct souk_instance)

/* Names a machine that provision or list_instances told of. Like souk_label and souk_port_range it
 * crosses the border as an array, so in this ABI it never grows. */
struct souk_instance_ref {
	uint32_t struct_size;
	uint32_t reserved;	   /* 0 */
	const char *id;
	const char *region;
	const char *zone;	   /* may be NULL */
	const char *cluster;	   /* the cluster it belongs to; may be NULL for an orphan */
	const char *request_token; /* of the provision call that made it; may be NULL */
};

struct souk_port_range {
	uint16_t first;
	uint16_t last; /* inclusive */
};

/* souk_instance_spec.on_shutdown: what becomes of the machine when it is shut down from inside */
enum {
	SOUK_ON_SHUTDOWN_TERMINATE = 0,
	SOUK_ON_SHUTDOWN_STOP = 1
};

/* What provision is to create. */
struct souk_instance_spec {
	uint32_t struct_size;
	uint32_t count;		     /* machines; all of them in one zone, or none */
	const char *request_token;   /* [a-z0-9-], at most 40 characters; made durable before the call */
	const char *cluster;	     /* [a-z0-9-], at most 40 characters: for names and tags */
	const char *owner;	     /* who runs souk: for tags */
	const char *instance_type;
	const char *region;
	const char *zone;	     /* NULL: the provider chooses */
	const char *arch;	     /* as in the offer */
	const char *accelerator;     /* canonical name, NULL none: for choosing an image */
	uint32_t accelerator_milli;
	uint32_t spot;		     /* 1: a spot machine */
	uint32_t on_shutdown;	     /* SOUK_ON_SHUTDOWN_... */
	uint32_t vcpus_milli;	     /* as in the offer */
	uint64_t memory_mib;	     /* as in the offer */
	int64_t max_micros_per_hour; /* for spot: the most to pay for one machine; 0: the cloud's default */
	uint64_t disk_size_mib;	     /* root disk; 0: the image's own size */
	const char *disk_tier;	     /* "low" "medium" "high" "ultra" "best"; NULL: "medium" */
	const char *image;	     /* the cloud's image id; NULL: the provider's default for arch and accelerator */
	const char *ssh_public_key;  /* one line: whoever holds the other half may log in */
	const char *host_key_private; /* an OpenSSH private key for the machines' sshd, so that the first
				       * connection can be verified; NULL: none */
	const char *host_key_public; /* its public line */
	const struct souk_label *labels; /* the user's labels, without ours */
	const struct souk_port_range *ports; /* to open to the world besides SSH */
	uint32_t n_labels;
	uint32_t n_ports;
	uint64_t max_run_seconds;    /* the cloud should end the machines after so long; 0: no limit */
};

/* Which machines list_instances is to find. A NULL member does not restrict. */
struct souk_instance_filter {
	uint32_t struct_size;
	uint32_t reserved; /* 0 */
	const char *owner;
	const char *cluster;
	const char *request_token;
	const char *region; /* NULL: every region that the account can use */
	/* Ended by NULL: machines that carry a tag of one of these keys are found too, be they ours or
	 * another tool's; of the members above only 'region' restricts those. NULL: ours alone.
	 * Honoured by those with SOUK_FEATURE_TAG_KEYS. */
	const char *const *tag_keys;
	uint32_t besides;   /* 1: what else provision makes is found too (souk_instance.kind) */
	uint32_t reserved2; /* 0 */
};

/* Who the credentials are. Strings are set with souk_identity_set(). */
struct souk_identity;

/* One line of a quote: "compute", "disk", "address", "egress". */
struct souk_quote_line {
	uint32_t struct_size;
	uint32_t per_hour;   /* 1: 'micros' is per hour; 0: once */
	const char *item;
	const char *note;    /* where the figure is from; may be NULL */
	int64_t micros;
	char currency[4];
};

/* ---- The operations ---------------------------------------------------------------- */

/* souk_provider_ops.threads */
enum {
	SOUK_THREADS_SERIAL = 0,       /* one call into the module at a time */
	SOUK_THREADS_PER_INSTANCE = 1, /* one call per 'self' at a time */
	SOUK_THREADS_PARALLEL = 2      /* any call at any time */
};

/* souk_provider_ops.features: what the presence of an op does not tell */
enum {
	SOUK_FEATURE_SPOT = 1u << 0,	     /* honours spec.spot */
	SOUK_FEATURE_IMAGE = 1u << 1,	     /* honours spec.image */
	SOUK_FEATURE_LABELS = 1u << 2,	     /* honours spec.labels */
	SOUK_FEATURE_PORTS = 1u << 3,	     /* honours spec.ports */
	SOUK_FEATURE_DISK_SIZE = 1u << 4,    /* honours spec.disk_size_mib */
	SOUK_FEATURE_DISK_TIER = 1u << 5,    /* honours spec.disk_tier */
	SOUK_FEATURE_MULTI_NODE = 1u << 6,   /* spec.count may be over 1: siblings can reach each other */
	SOUK_FEATURE_HOST_KEY = 1u << 7,     /* gives the machine spec.host_key_private before its first boot */
	SOUK_FEATURE_SELF_SHUTDOWN = 1u << 8, /* a machine can end itself with its shutdown_command */
	SOUK_FEATURE_QUICK_OFFERS = 1u << 9, /* list_offers is quick and needs no network: the core asks
					      * each time and keeps no catalog */
	SOUK_FEATURE_DEFAULT = 1u << 10,     /* takes part when the user has configured no provider at all */
	SOUK_FEATURE_MAX_RUN = 1u << 11,     /* honours spec.max_run_seconds */
	SOUK_FEATURE_CONSISTENT = 1u << 12,  /* describe and list_instances show at once what was created
					      * or ended: absence need not be confirmed some time later */
	SOUK_FEATURE_TAG_KEYS = 1u << 13     /* list_instances honours filter.tag_keys */
};

/* souk_option.type */
enum {
	SOUK_OPT_STRING = 0,
	SOUK_OPT_INTEGER = 1,
	SOUK_OPT_BOOLEAN = 2,
	SOUK_OPT_SECRET = 3, /* given by reference: file:PATH, env:NAME or fd:N */
	SOUK_OPT_LIST = 4    /* text separated by commas, or a YAML list */
};

/* How things stand in a rehearsal */
enum {
	SOUK_SCENE_NEW = 0,	/* all is in order, and nothing of this cluster is there yet */
	SOUK_SCENE_FOUND = 1,	/* what an earlier launch of the cluster may have left is there, but no machine */
	SOUK_SCENE_BARE = 2,	/* what may be missing is missing, so that a second way is gone */
	SOUK_SCENE_REFUSED = 3,	/* the machine itself is sold out */
	SOUK_SCENES = 4
};

/*
 * A setting of the provider. 'name' is lower case with underscores; the user writes it
 * under providers: NAME: in the configuration, as SOUK_NAME_KEY in the environment, or with
 * --set NAME.KEY=VALUE. Every provider has 'endpoint' and 'proxy_command' without asking.
 * A table ends with an entry whose name is NULL.
 */
struct souk_option {
	const char *name;
	const char *help;	   /* one line */
	const char *default_value; /* for 'provider info'; NULL: none */
	int32_t type;		   /* SOUK_OPT_... */
	int32_t reserved;	   /* 0 */
};

/*
 * The operations. 'self' is what open gave. Every op may block until
 * souk_call_deadline_ms(call) and must return soon after souk_call_cancelled(call) has
 * become true; the host functions that wait see to both. Required ops: open, close,
 * list_offers, provision, describe, teardown. Any other may be NULL, which means that the
 * provider does not have that feature; the optimizer then leaves it out where a task needs it.
 */
struct souk_provider_ops {
	uint32_t abi;		  /* SOUK_PROVIDER_ABI, by SOUK_PROVIDER_HEAD */
	uint32_t struct_size;	  /* sizeof(struct souk_provider_ops), likewise */
	uint32_t option_size;	  /* sizeof(struct souk_option), likewise */
	uint32_t threads;	  /* SOUK_THREADS_...; 0 is the safest */
	uint64_t features;	  /* SOUK_FEATURE_... */
	const char *name;	  /* [a-z][a-z0-9_]*: as in souk-provider-NAME.so and in the configuration */
	const char *title;	  /* for people: "Amazon EC2" */
	const char *version;	  /* of the module; NULL: that of souk */
	const struct souk_option *options; /* NULL: none besides the common ones */
	const char *credentials;  /* how credentials are found, in a few lines, for 'provider info' */
	const char *permissions;  /* the policy or role that the module needs; may be NULL */

	/*
	 * Begin to use one configured account. Required. Reads settings with
	 * souk_call_option(call, ...); looks for credentials, but sends nothing: a command
	 * that needs no network opens providers too. *self_out is handed to every later op.
	 * Missing credentials are SOUK_E_AUTH with a hint that names what to do; a module may
	 * also leave that to the first op that needs them, so that its offers can be listed.
	 */
	int (*open)(struct souk_call *call, void **self_out, struct souk_error *err);

	/* Free what open made. Required. Called once, from any thread, with no op running. */
	void (*close)(void *self);

	/*
	 * List what can be rented. Required. Adds each offer to 'out' with
	 * souk_offer_list_add(), which copies it. May be called without credentials if the
	 * cloud's price list is public.
	 */
	int (*list_offers)(void *self, struct souk_call *call, struct souk_offer_list *out,
			   struct souk_error *err);

	/*
	 * Create spec->count machines, all or none. Required. Returns as soon as the cloud has
	 * accepted, with the machines added to 'out' (PENDING is fine, addresses may be missing).
	 * Two calls with the same request_token create one set of machines: by the cloud's
	 * idempotency key, by a name that holds the token, or by looking for the token first.
	 * Everything created is tagged with cluster, owner and token, so that list_instances
	 * finds it. On failure nothing is left that costs; what could not be undone is added
	 * to 'out', so that the core tears it down. TIMEOUT or CANCELLED says that it is not
	 * known; the core then looks for the token.
	 */
	int (*provision)(void *self, struct souk_call *call, const struct souk_instance_spec *spec,
			 struct souk_instance_list *out, struct souk_error *err);

	/*
	 * Tell of the n machines in refs. Required. Adds each machine that the cloud knows; one
	 * that it does not know is left out, which is no error. All refs are of one region.
	 */
	int (*describe)(void *self, struct souk_call *call, const struct souk_instance_ref *refs,
			uint32_t n, struct souk_instance_list *out, struct souk_error *err);

	/*
	 * End the n machines in refs for good, with everything that was created for them
	 * (disks, addresses, and what belongs to the cluster alone once its last machine is
	 * gone). Required. Returns when the cloud has accepted; the core calls it again until
	 * describe has twice not found them. Tearing down what is gone succeeds. All refs are
	 * of one region.
	 */
	int (*teardown)(void *self, struct souk_call *call, const struct souk_instance_ref *refs,
			uint32_t n, struct souk_error *err);

	/*
	 * Price a spec in full. NULL: the listed price is the price.
	 */
	int (*quote)(void *self, struct souk_call *call, const struct souk_instance_spec *spec,
		     struct souk_quote_list *out, struct souk_error *err);

	/*
	 * Run a shell command on a machine, with 'stream' as its stdin, stdout and stderr, and
	 * store its exit status (128 + N if signal N ended it). NULL: souk uses SSH.
	 */
	int (*exec)(void *self, struct souk_call *call, const struct souk_instance_ref *ref,
		    const char *command, struct souk_stream *stream, int32_t *exit_status_out,
		    struct souk_error *err);

	/*
	 * Copy a local file to a machine and back. NULL: rsync, or tar over exec.
	 */
	int (*put)(void *self, struct souk_call *call, const struct souk_instance_ref *ref,
		   const char *local_path, const char *remote_path, struct souk_error *err);
	int (*get)(void *self, struct souk_call *call, const struct souk_instance_ref *ref,
		   const char *remote_path, const char *local_path, struct souk_error *err);

	/*
	 * Find machines by our tags, whatever their state, TERMINATED ones at will. NULL: no
	 * orphan search; a launch that dies between create and answer can then leak.
	 */
	int (*list_instances)(void *self, struct souk_call *call,
			      const struct souk_instance_filter *filter,
			      struct souk_instance_list *out, struct souk_error *err);

	/*
	 * Are the credentials good, and whose are they? Sets account and principal with
	 * souk_identity_set(). NULL: 'souk check' can only say whether open succeeds.
	 */
	int (*check)(void *self, struct souk_call *call, struct souk_identity *out,
		     struct souk_error *err);

	/*
	 * Switch machines off so that their disks stay and computing costs nothing, and on
	 * again. Both return when the cloud has accepted. Stopping what is stopped and starting
	 * what runs succeeds. NULL: machines can only be torn down.
	 */
	int (*stop)(void *self, struct souk_call *call, const struct souk_instance_ref *refs,
		    uint32_t n, struct souk_error *err);
	int (*start)(void *self, struct souk_call *call, const struct souk_instance_ref *refs,
		     uint32_t n, struct souk_error *err);

	/*
	 * Open further ports of running machines to the world. Opening what is open succeeds.
	 * NULL: ports are opened at provision or not at all (SOUK_FEATURE_PORTS).
	 */
	int (*open_ports)(void *self, struct souk_call *call, const struct souk_instance_ref *refs,
			  uint32_t n, const struct souk_port_range *ports, uint32_t n_ports,
			  struct souk_error *err);

	/*
	 * Set what becomes of running machines when they are shut down from inside
	 * (SOUK_ON_SHUTDOWN_...), for 'souk autostop'. NULL: it stays as provision made it.
	 */
	int (*set_on_shutdown)(void *self, struct souk_call *call,
			       const struct souk_instance_ref *refs, uint32_t n,
			       uint32_t on_shutdown, struct souk_error *err);

	/*
	 * Remove what provision has made for a cluster in a region besides machines (a security
	 * group, an address), as far as no machine uses it. 'filter' has cluster, owner and
	 * region. Called when a provision call whose fate was unknown has turned out to have made
	 * no machine, and when a cluster's machines have ended without teardown. Having nothing to
	 * remove, and what is still in use, are no failures. NULL: provision leaves nothing
	 * besides machines.
	 */
	int (*sweep)(void *self, struct souk_call *call, const struct souk_instance_filter *filter,
		     struct souk_error *err);

	/*
	 * Where a sign of credentials shows, ended by NULL: "env:NAME" (the variable is set and not
	 * empty), "file:PATH" (it exists; "~/" and a leading "$NAME" are filled in), "vendor:TEXT" (the
	 * firmware's maker begins so: this computer is a machine of that cloud), "option:NAME" (the
	 * setting is given). The core looks without loading the module: a provider of which no sign
	 * is found takes part only where the user names it. NULL: no credentials are needed.
	 */
	const char *const *credential_signs;

	/*
	 * Stand in for the cloud in a rehearsal: open and the other ops are called as for a launch,
	 * but the host sends nothing, waits for nothing and runs no program; it notes each request
	 * ('souk launch --plan') and asks here for the reply. Write its body to 'body' and its
	 * status to *status_out, as the cloud would answer in that scene (SOUK_SCENE_...), with
	 * names in capitals (i-INSTANCE) where it makes one; and to 'permission' what the request
	 * needs ("ec2:RunInstances"; nothing: no permission). 'self' is NULL while open runs. What
	 * cannot be stood in for is UNSUPPORTED. NULL: launches here cannot be rehearsed.
	 */
	int (*rehearse)(void *self, struct souk_call *call, uint32_t scene,
			const struct souk_http_request *request, int32_t *status_out,
			struct souk_buf *body, struct souk_buf *permission, struct souk_error *err);

	/*
	 * Write the smallest policy that grants these permissions, as rehearse has named them, in
	 * the cloud's own form. They are sorted, each once. NULL: the list has to do.
	 */
	int (*policy)(void *self, const char *const *permissions, uint32_t n, struct souk_buf *out,
		      struct souk_error *err);
};

#define SOUK_PROVIDER_HEAD                                                                         \
	.abi = SOUK_PROVIDER_ABI, .struct_size = sizeof(struct souk_provider_ops),                 \
	.option_size = sizeof(struct souk_option)

/*
 * The one symbol that a module exports. Called once after dlopen; it must do nothing but
 * return the table, which lives as long as the module.
 */
#define SOUK_PROVIDER_REGISTER(ops_)                                                               \
	SOUK_EXPORT const struct souk_provider_ops *souk_provider_entry(void);                     \
	SOUK_EXPORT const struct souk_provider_ops *souk_provider_entry(void)                      \
	{                                                                                          \
		return &(ops_);                                                                    \
	}                                                                                          \
	struct souk_provider_ops

/* ---- Host functions: errors --------------------------------------------------------- */

/*
 * Record an error with scope PROVIDER for AUTH, else OFFER, and return its code, so that
 * failing is one statement. 'err' may be NULL. Any thread; never allocates.
 */
int souk_error_set(struct souk_error *err, int code, const char *fmt, ...) SOUK_PRINTF(3, 4);
int souk_error_vset(struct souk_error *err, int code, const char *fmt, va_list args)
	SOUK_PRINTF(3, 0);

/* Add to a recorded error; each returns err's code. */
int souk_error_scope(struct souk_error *err, int scope);
int souk_error_reason(struct souk_error *err, const char *reason);
int souk_error_hint(struct souk_error *err, const char *fmt, ...) SOUK_PRINTF(2, 3);
int souk_error_retry_after(struct souk_error *err, uint32_t retry_after_ms);
/* Hand on, with all that it holds, an error that was kept aside; returns its code. */
int souk_error_copy(const struct souk_error *from, struct souk_error *err);
/* Out of memory, in one statement. */
int souk_error_nomem(struct souk_error *err);

/* What a cloud has refused a request with. */
struct souk_refusal {
	uint32_t struct_size;
	int32_t code;		 /* SOUK_E_... that it means */
	int32_t scope;		 /* SOUK_SCOPE_... */
	int32_t status;		 /* of HTTP */
	uint32_t retry_after_ms; /* 0: it does not say */
	uint32_t reserved;	 /* 0 */
	const char *doing;	 /* completes "cannot ..." */
	const char *reason;	 /* the cloud's own code; NULL or "": none */
	const char *message;	 /* its words; likewise */
};

#define SOUK_REFUSAL_HEAD .struct_size = sizeof(struct souk_refusal)

/*
 * Record a refusal with scope, reason and delay: "cannot DOING: MESSAGE", or the reason in the
 * message's place, or the status. Returns its code; a hint is the module's to add.
 */
int souk_error_refused(struct souk_error *err, const struct souk_refusal *refusal);

/*
 * The error of a request that creates something, by which it may have been created all the same: an
 * answer that cannot be read (INTERNAL), or that says that the cloud has failed (TRANSIENT, with a
 * reason of the cloud's), becomes TIMEOUT. 'err' may not be NULL. Returns its code.
 */
int souk_error_doubtful(struct souk_error *err);

/* ---- Host functions: the call ------------------------------------------------------- */

/* Milliseconds until this call should have returned; 0 if that moment has passed. Any thread. */
uint32_t souk_call_deadline_ms(const struct souk_call *call);

/* 1 if the user or the core has given up on this call. Any thread. */
int souk_call_cancelled(const struct souk_call *call);

/*
 * Wait. Returns SOUK_OK after 'ms', or at once SOUK_E_CANCELLED or SOUK_E_TIMEOUT, with
 * 'err' filled in, when the call is cancelled or its deadline comes first.
 */
int souk_call_sleep(struct souk_call *call, uint32_t ms, struct souk_error *err);

/*
 * The value of a setting from the option table (or 'endpoint', 'proxy_command'), with the
 * default where the user gave none; NULL if there is neither. Borrowed while 'self' is open.
 * Type and range were checked. Lists come joined with commas, booleans as "true" or "false".
 */
const char *souk_call_option(const struct souk_call *call, const char *name);

/*
 * Append the endpoint: the setting, or else 'usual', without the slashes and without 'tail' at its
 * end: a base that "/v2/..." is added to, for whoever gives it with its "/v2" means the same. 'tail'
 * may be NULL. What is no URL is SOUK_E_INVALID (souk_parse_endpoint).
 */
int souk_call_endpoint(const struct souk_call *call, const char *usual, const char *tail,
		       struct souk_buf *out, struct souk_error *err);

/*
 * The secret that a setting of type SOUK_OPT_SECRET refers to, read now from its file,
 * variable or descriptor, without a trailing newline. *secret_out is freed, and wiped, with
 * souk_secret_free(). SOUK_E_NOT_FOUND if the setting is not there.
 */
int souk_call_secret(struct souk_call *call, const char *name, char **secret_out,
		     struct souk_error *err);
void souk_secret_free(char *secret);

/* Where the key of an account is, for a cloud that knows its users by a key alone. */
struct souk_key_source {
	uint32_t struct_size;
	uint32_t reserved;	      /* 0 */
	const char *title;	      /* whose key, in messages: "Acme" */
	const char *const *variables; /* of the environment, in this order, ended by NULL; may be NULL */
	const char *file;	      /* below the home folder: ".acme/config"; NULL: none */
	char *(*in_file)(char *text); /* the key in that file's text, which may be cut; NULL: none */
	const char *looks;	      /* hint where something is no key: "a key looks like ..." */
	const char *advice;	      /* hint where there is none: "set ACME_API_KEY, or ..." */
};

#define SOUK_KEY_SOURCE_HEAD .struct_size = sizeof(struct souk_key_source)

/*
 * The key, from the first of these that is there: the setting 'api_key' (SOUK_OPT_SECRET), which the
 * module declares, a variable, the file. None, or one with characters that a header cannot have, is
 * SOUK_E_AUTH. *key_out is freed, and wiped, with souk_secret_free().
 */
int souk_call_api_key(struct souk_call *call, const struct souk_key_source *source, char **key_out,
		      struct souk_error *err);

/*
 * The folder where this provider may keep state of its own, private to the user, which the
 * host has made. Borrowed while 'self' is open.
 */
const char *souk_call_state_dir(const struct souk_call *call);

struct souk_lock;

/*
 * Be alone with something: among all processes of the user that use this provider's state folder, one
 * at a time has the lock of a name ([A-Za-z0-9_-], at most 128). For clouds that know no idempotency
 * key: two calls of provision with one request_token must not both find that it has made nothing
 * yet. Waits as souk_call_sleep() does. *lock_out is given back with souk_lock_free(), or by the end
 * of the process; where no file can be made it is NULL, with a warning, or without a state folder.
 */
int souk_call_lock(struct souk_call *call, const char *name, struct souk_lock **lock_out,
		   struct souk_error *err);
void souk_lock_free(struct souk_lock *lock);

/* souk_log levels */
enum { SOUK_LOG_ERROR = 0, SOUK_LOG_WARNING = 1, SOUK_LOG_INFO = 2, SOUK_LOG_DEBUG = 3 };

/*
 * Tell the user (WARNING), the curious (INFO, -v) or the developer (DEBUG, --debug). One
 * line, without newline. Never a secret. A module writes to stdout or stderr in no other way.
 */
void souk_call_log(struct souk_call *call, int level, const char *fmt, ...) SOUK_PRINTF(3, 4);

/* Tell how far a long call is: 'done' of 'total' (0: not known), "regions". Any thread. */
void souk_call_progress(struct souk_call *call, const char *what, uint32_t done, uint32_t total);

/*
 * Do n independent pieces of work, at most 'width' at a time (0: 8): task(arg, i, &errors[i]) for
 * each i below n, on threads of the host function's own. It returns when all have ended; once
 * the call is cancelled no further piece is begun, and errors[i] of those says CANCELLED. Returns
 * how many failed. The module may call host functions from its pieces, whatever its thread model.
 */
uint32_t souk_call_parallel(struct souk_call *call, uint32_t n, uint32_t width,
			    int (*task)(void *arg, uint32_t i, struct souk_error *err), void *arg,
			    struct souk_error *errors);

/* ---- Host functions: results -------------------------------------------------------- */

/* Add to a result; everything is copied. Missing required members are SOUK_E_INVALID. */
int souk_offer_list_add(struct souk_offer_list *list, const struct souk_offer *offer,
			struct souk_error *err);
int souk_instance_list_add(struct souk_instance_list *list, const struct souk_instance *instance,
			   struct souk_error *err);
int souk_quote_list_add(struct souk_quote_list *list, const struct souk_quote_line *line,
			struct souk_error *err);

/* Set "account", "principal", "project" or another key of an identity; copied. */
int souk_identity_set(struct souk_identity *identity, const char *key, const char *value,
		      struct souk_error *err);
/* Set "principal" of who is known by a key alone: its last characters tell the user which it is. */
int souk_identity_set_key(struct souk_identity *identity, const char *key, struct souk_error *err);

/* ---- Host functions: HTTP ----------------------------------------------------------- */

/* souk_http_request.flags */
enum {
	SOUK_HTTP_RETRY = 1u << 0,	  /* safe to send again: the host retries what the network or the
					   * server (408, 429, 500, 502, 503, 504) failed at, with backoff
					   * and by Retry-After, inside the deadline */
	SOUK_HTTP_SECRET_BODY = 1u << 1,  /* the request's body must not be traced or recorded */
	SOUK_HTTP_SECRET_REPLY = 1u << 2, /* nor the reply's */
	SOUK_HTTP_MUTATES = 1u << 3,	  /* creates, changes or destroys: not sent in plan mode */
	SOUK_HTTP_NO_PROXY = 1u << 4	  /* a metadata service: never through a proxy */
};

/*
 * A request. 'what' names it in messages ("RunInstances"). Headers are "Name: value" lines,
 * ended by NULL. Values of Authorization, Cookie, and headers whose name contains token, key
 * or secret are redacted in traces. The URL's scheme is https, or http on loopback and
 * link-local addresses only. Redirects are not followed.
 */
struct souk_http_request {
	uint32_t struct_size;
	uint32_t flags;		    /* SOUK_HTTP_... */
	const char *what;	    /* required */
	const char *method;	    /* NULL: "GET" */
	const char *url;	    /* required */
	const char *const *headers; /* may be NULL */
	const void *body;	    /* may be NULL */
	size_t body_size;
	uint32_t timeout_ms;	    /* for one attempt; 0: 30 s; never past the call's deadline */
	uint32_t max_reply_bytes;   /* 0: 16 MiB; more is SOUK_E_INVALID */
	/*
	 * Is this reply worth another try? Asked only with SOUK_HTTP_RETRY, for any status of
	 * 400 and above, so that a capacity error which arrives as 503 is not retried.
	 * NULL: by the status, as listed above.
	 */
	int (*should_retry)(const struct souk_http_reply *reply, void *arg);
	void *should_retry_arg;
	/*
	 * Keep the reply (of a GET, or of a POST that only asks; status 200) in the user's cache, by
	 * method, URL and body. One that is younger than so many seconds is given again without
	 * asking: a list of many pages that was broken off goes on where it stopped. An older one
	 * is asked for with If-None-Match or If-Modified-Since where the server gave an ETag or a
	 * date, and given again if it is still good (304). 0: nothing is kept. Headers are not part
	 * of the key, so nothing that differs by account may be kept without 'cache_scope' (the
	 * account, the project; NULL: public). Replies with SOUK_HTTP_SECRET_REPLY, or with a header
	 * whose value would be redacted, are not kept. An op that fails with INVALID or INTERNAL has
	 * had an answer that makes no sense: the kept replies that it was given are forgotten.
	 */
	uint32_t cache_seconds;
	uint32_t reserved;	    /* 0 */
	const char *cache_scope;
};

#define SOUK_HTTP_REQUEST_HEAD .struct_size = sizeof(struct souk_http_request)

/*
 * Send a request and wait for the reply. SOUK_OK means that there is a reply, whatever its
 * status; *reply_out is freed with souk_http_reply_free(). A failure is TIMEOUT when the
 * request may have arrived, TRANSIENT when it certainly did not, CANCELLED, or INVALID.
 * Connections are kept and shared. Any thread.
 */
int souk_http_send(struct souk_call *call, const struct souk_http_request *request,
		   struct souk_http_reply **reply_out, struct souk_error *err);
void souk_http_reply_free(struct souk_http_reply *reply);

int souk_http_reply_status(const struct souk_http_reply *reply);
/* The body, with a NUL after its last byte; borrowed until the reply is freed. */
const char *souk_http_reply_body(const struct souk_http_reply *reply, size_t *size_out);
/* The first header of that name (case-insensitive); NULL: none. Borrowed likewise. */
const char *souk_http_reply_header(const struct souk_http_reply *reply, const char *name);
/* How long the reply asks to wait (Retry-After in seconds or as a date, and the headers that some
 * clouds have for milliseconds); 0: it does not say. */
uint32_t souk_http_reply_retry_after_ms(const struct souk_http_reply *reply);

/*
 * The networks that a firewall is to admit SSH from. The setting 'ssh_from', a list that the module
 * declares, has addresses, networks and "auto", which also stands for no setting: this computer, by
 * the address that it is seen with. That is asked for at the setting 'checkip_endpoint', or at
 * 'checkip': a URL that answers with the caller's address and nothing else.
 */
struct souk_ssh_from {
	uint32_t struct_size;
	uint32_t reserved;    /* 0 */
	const char *provider; /* its name, for hints */
	const char *endpoint; /* the cloud's URL: one on this very machine sees us come from 127.0.0.1 */
	const char *checkip;
	const char *inside;   /* the network that "auto" means instead, for machines that are reached
			       * from within; NULL or "": none */
};

#define SOUK_SSH_FROM_HEAD .struct_size = sizeof(struct souk_ssh_from)

/* Of an address with its prefix, and the NUL. */
#define SOUK_NETWORK_SIZE 64

/* More than 'max' are SOUK_E_INVALID; an address that cannot be found out is SOUK_E_TRANSIENT. */
int souk_call_ssh_from(struct souk_call *call, const struct souk_ssh_from *from,
		       char (*out)[SOUK_NETWORK_SIZE], uint32_t max, uint32_t *n_out,
		       struct souk_error *err);

/* ---- Host functions: commands ------------------------------------------------------- */

/* Data of a struct souk_stream, for the op exec. Reading returns 0 at the end, writing takes
 * all; both return a negative code when the call is cancelled. fd is 1 or 2. */
int64_t souk_stream_read(struct souk_stream *stream, void *data, size_t size);
int souk_stream_write(struct souk_stream *stream, int fd, const void *data, size_t size);

/*
 * Run a shell command on a machine by SSH, as the core would, for a module that has to look
 * inside. 'instance' gives address, port, user and host_key, which must be set. The output
 * (stdout only) is bounded by 'size' and ended by NUL.
 */
int souk_call_ssh(struct souk_call *call, const struct souk_instance *instance, const char *command,
		  char *output, size_t size, int32_t *exit_status_out, struct souk_error *err);

/*
 * Run a local program (argv[0] is looked up in PATH), without a shell, and take its stdout,
 * bounded by 'size' and ended by NUL. For credential helpers. Stderr goes to the debug log.
 */
int souk_call_run(struct souk_call *call, const char *const *argv, char *output, size_t size,
		  int32_t *exit_status_out, struct souk_error *err);

/* ---- Host functions: text ----------------------------------------------------------- */

/*
 * A growing text with a ceiling. Append functions fail with SOUK_E_NOMEM, or SOUK_E_INVALID
 * past the ceiling, and then leave the buffer as it was; the first failure sticks, so that
 * a row of appends can be checked once with souk_buf_failed(). data is never NULL and always
 * ended by NUL.
 */
struct souk_buf {
	char *data;
	size_t len;
	size_t size;
	size_t ceiling;
	int32_t failed;	  /* SOUK_OK or the code of the first failure */
	int32_t reserved;
};

void souk_buf_init(struct souk_buf *buf, size_t ceiling);
void souk_buf_fini(struct souk_buf *buf); /* also on a zeroed one */
void souk_buf_reset(struct souk_buf *buf);
int souk_buf_add(struct souk_buf *buf, const void *data, size_t len);
int souk_buf_str(struct souk_buf *buf, const char *text);
int souk_buf_printf(struct souk_buf *buf, const char *fmt, ...) SOUK_PRINTF(2, 3);
/* Percent-encode all but the unreserved characters of RFC 3986, section 2.3. */
int souk_buf_urlencode(struct souk_buf *buf, const char *text);
int souk_buf_base64(struct souk_buf *buf, const void *data, size_t len);
int souk_buf_failed(const struct souk_buf *buf, struct souk_error *err);
/* The text, which the caller frees with souk_text_free(); the buffer is empty afterwards. */
char *souk_buf_steal(struct souk_buf *buf);
void souk_text_free(char *text);

/*
 * Parse the whole of 'text'. A failure is SOUK_E_INVALID and names 'what':
 * "gpus: not a number: 'lots'".
 */
int souk_parse_u32(const char *what, const char *text, uint32_t *value_out, struct souk_error *err);
int souk_parse_u64(const char *what, const char *text, uint64_t *value_out, struct souk_error *err);
/* A decimal number to thousandths, or to millionths: "0.5", "12", "3.06730". */
int souk_parse_milli(const char *what, const char *text, uint32_t *value_out,
		     struct souk_error *err);
int souk_parse_micros(const char *what, const char *text, int64_t *value_out,
		      struct souk_error *err);
/* A number as JSON has it, to millionths: also "4.5E-05". Digit by digit, not by way of a double. */
int souk_parse_json_micros(const char *what, const char *text, int64_t *value_out,
			   struct souk_error *err);
/* "2026-07-04T12:30:00[.123](Z|+hh:mm)" (RFC 3339) to seconds since the epoch. */
int souk_parse_time(const char *what, const char *text, int64_t *value_out, struct souk_error *err);
/* "Sun, 22 Nov 2026 14:00:00 GMT", as HTTP's headers have it. */
int souk_parse_http_date(const char *what, const char *text, int64_t *value_out,
			 struct souk_error *err);
/* "203.0.113.77/24" to "203.0.113.0/24", "2001:DB8::1" to "2001:db8::1/128". */
int souk_parse_network(const char *text, char out[SOUK_NETWORK_SIZE], struct souk_error *err);
/*
 * Append the URL of a service without the slashes at its end. What is no http or https URL, or has a
 * query, a fragment or a user in it, is SOUK_E_INVALID; 'example' is for the hint, and 'what' names
 * the setting, NULL: none.
 */
int souk_parse_endpoint(const char *what, const char *url, const char *example,
			struct souk_buf *out, struct souk_error *err);
/* 1 if the URL's host is this machine itself. */
int souk_url_is_local(const char *url);

/* The environment variable; NULL also if it is empty. */
const char *souk_getenv(const char *name);
/* 1 for "true", in any case, and for "1"; NULL is neither. */
int souk_text_is_true(const char *text);
/* Cut white space off both ends, in place; returns where the text begins now. */
char *souk_text_trim(char *text);
/*
 * A cloud's words as a message may have them, in 'size' bytes with the NUL: one line, each run of
 * blanks and control characters one space, none at either end and no full stop, and no half
 * character where it is cut. NULL is "".
 */
void souk_text_line(char *out, size_t size, const char *text);
/*
 * Walk a list (SOUK_OPT_LIST): the next item, borrowed, and its length; NULL at the end. Items stand
 * between commas and blanks. *list may be NULL.
 */
const char *souk_list_next(const char **list, size_t *len_out);
/* 1 if the list has the item; case does not matter. */
int souk_list_has(const char *list, const char *name);

/* Append the user's home folder; SOUK_E_NOT_FOUND if nothing tells of one. */
int souk_home_dir(struct souk_buf *out, struct souk_error *err);
/*
 * A whole file of at most 'max' bytes, such as the credentials of the cloud's own tools, into 'out',
 * which is initialised here and finished by the caller in any case. SOUK_E_NOT_FOUND if it is not
 * there; SOUK_E_INVALID if it cannot be read, is too large or no regular file.
 */
int souk_read_file(const char *path, size_t max, struct souk_buf *out, struct souk_error *err);

/*
 * The first-boot data of a machine in the #cloud-config format (cloud-init), which gives
 * sshd the host key of the spec, lets ssh_public_key log in as 'user', and keeps the image
 * from making other host keys.
 */
int souk_spec_cloud_config(const struct souk_instance_spec *spec, const char *user,
			   struct souk_buf *out, struct souk_error *err);

/* ---- The host's side ----------------------------------------------------------------- */

/*
 * The table behind the functions above. A program that wants to be the host of modules
 * (souk itself, or a test) fills one and installs it before it opens a provider. Members
 * are only appended. A module never needs this.
 */
struct souk_host {
	uint32_t abi;
	uint32_t struct_size;
	uint32_t (*call_deadline_ms)(const struct souk_call *call);
	int (*call_cancelled)(const struct souk_call *call);
	int (*call_sleep)(struct souk_call *call, uint32_t ms, struct souk_error *err);
	const char *(*call_option)(const struct souk_call *call, const char *name);
	int (*call_secret)(struct souk_call *call, const char *name, char **secret_out,
			   struct souk_error *err);
	const char *(*call_state_dir)(const struct souk_call *call);
	void (*call_vlog)(struct souk_call *call, int level, const char *fmt, va_list args)
		SOUK_PRINTF(3, 0);
	int (*offer_list_add)(struct souk_offer_list *list, const struct souk_offer *offer,
			      struct souk_error *err);
	int (*instance_list_add)(struct souk_instance_list *list,
				 const struct souk_instance *instance, struct souk_error *err);
	int (*quote_list_add)(struct souk_quote_list *list, const struct souk_quote_line *line,
			      struct souk_error *err);
	int (*identity_set)(struct souk_identity *identity, const char *key, const char *value,
			    struct souk_error *err);
	int (*http_send)(struct souk_call *call, const struct souk_http_request *request,
			 struct souk_http_reply **reply_out, struct souk_error *err);
	void (*http_reply_free)(struct souk_http_reply *reply);
	int (*http_reply_status)(const struct souk_http_reply *reply);
	const char *(*http_reply_body)(const struct souk_http_reply *reply, size_t *size_out);
	const char *(*http_reply_header)(const struct souk_http_reply *reply, const char *name);
	int64_t (*stream_read)(struct souk_stream *stream, void *data, size_t size);
	int (*stream_write)(struct souk_stream *stream, int fd, const void *data, size_t size);
	int (*call_ssh)(struct souk_call *call, const struct souk_instance *instance,
			const char *command, char *output, size_t size, int32_t *exit_status_out,
			struct souk_error *err);
	int (*call_run)(struct souk_call *call, const char *const *argv, char *output, size_t size,
			int32_t *exit_status_out, struct souk_error *err);
	void (*call_progress)(struct souk_call *call, const char *what, uint32_t done, uint32_t total);
	/* A thread of souk_call_parallel()'s own begins (1) or ends (0) to work for the call. */
	void (*call_working)(struct souk_call *call, int begins);
};

/* Install the table, which must outlive every module. Exported by libsouk-provider. */
void souk_host_install(const struct souk_host *host);

#ifdef __cplusplus
}
#endif

#endif
