/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tests/unit/test_bucket_configs.c - documents that a bucket carries: CORS, tags and
 * the smaller ones; what is taken, what is stored, and what it then says.
 */
#include "s3/access_log.h"
#include "s3/acl.h"
#include "s3/bucket_config.h"
#include "s3/cors.h"
#include "s3/lifecycle.h"
#include "s3/notification.h"
#include "s3/tagging.h"
#include "s3/website.h"
#include "tests/unit/s3_help.h"

/* ---- what is taken ---- */

#define RULE(more) "<CORSConfiguration><CORSRule><AllowedOrigin>*</AllowedOrigin><AllowedMethod>GET</AllowedMethod>" more "</CORSRule></CORSConfiguration>"
#define LC(more) "<LifecycleConfiguration><Rule>" more "<Status>Enabled</Status></Rule></LifecycleConfiguration>"
#define TAG(k, v) "<Tag><Key>" k "</Key><Value>" v "</Value></Tag>"
#define TAGS(tags) "<Tagging><TagSet>" tags "</TagSet></Tagging>"
#define BLOCK(what) "<PublicAccessBlockConfiguration>" what "</PublicAccessBlockConfiguration>"
#define SITE(inner) "<WebsiteConfiguration>" inner "</WebsiteConfiguration>"
#define INDEX "<IndexDocument><Suffix>i</Suffix></IndexDocument>"
#define ROUTE(condition, redirect) "<RoutingRule>" condition "<Redirect>" redirect "</Redirect></RoutingRule>"
#define ROUTES(rules) SITE(INDEX "<RoutingRules>" rules "</RoutingRules>")
#define TO "<TargetBucket>b</TargetBucket><TargetPrefix>p/</TargetPrefix>"
#define BY(source) "<TargetObjectKeyFormat><PartitionedPrefix><PartitionDateSource>" source "</PartitionDateSource></PartitionedPrefix></TargetObjectKeyFormat>"
#define LOGGING(to, more) "<BucketLoggingStatus><LoggingEnabled>" to more "</LoggingEnabled></BucketLoggingStatus>"
#define XSI " xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\""
#define GRANTS(list) "<TargetGrants>" list "</TargetGrants>"
#define TO_USER(more, what) "<Grant><Grantee><ID> i</ID>" more "</Grantee><Permission>" what "</Permission></Grant>"
#define TO_GROUP(g, what) \
	"<Grant><Grantee" XSI " xsi:type=\"Group\"><URI>http://acs.amazonaws.com/groups/" g "</URI></Grantee><Permission>" what "</Permission></Grant>"
#define NOTIFY(more) "<NotificationConfiguration>" more "</NotificationConfiguration>"
#define QUEUE(name, event, more) "<QueueConfiguration>" more "<Queue>arn:aws:sqs:::" name "</Queue><Event>" event "</Event></QueueConfiguration>"
#define BE(name, value) "<FilterRule><Name>" name "</Name><Value>" value "</Value></FilterRule>"
#define FILTER(name, value) "<Filter><S3Key>" BE(name, value) "</S3Key></Filter>"
#define OWNERSHIP(o) "<OwnershipControls><Rule><ObjectOwnership>" o "</ObjectOwnership></Rule></OwnershipControls>"

static const struct {
	const char *name;
	s3_config_check check;
	const char *given;
	const char *want; /* a code; "" taken; else what is stored has it */
} checks[] = {
	{ "cors", s3_cors_check, RULE("<AllowedHeader>x-*</AllowedHeader><MaxAgeSeconds> 5 </MaxAgeSeconds>"), "<MaxAgeSeconds> 5 <" },
	{ "cors empty", s3_cors_check, "", "MalformedXML" },
	{ "cors no rule", s3_cors_check, "<CORSConfiguration/>", "MalformedXML" },
	{ "cors method", s3_cors_check, RULE("<AllowedMethod>OPTIONS</AllowedMethod>"), "InvalidRequest" },
	{ "cors two stars", s3_cors_check, RULE("<AllowedOrigin>*a*</AllowedOrigin>"), "InvalidRequest" },
	{ "cors line", s3_cors_check, RULE("<AllowedOrigin>a&#10;b: c</AllowedOrigin>"), "MalformedXML" },
	{ "cors expose line", s3_cors_check, RULE("<ExposeHeader>a&#13;&#10;b</ExposeHeader>"), "MalformedXML" },
	{ "cors expose", s3_cors_check, RULE("<ExposeHeader>*</ExposeHeader>"), "InvalidRequest" },
	{ "cors age", s3_cors_check, RULE("<MaxAgeSeconds>4294967296</MaxAgeSeconds>"), "MalformedXML" },
	{ "tags", s3_bucket_tags_check, TAGS(TAG("b", "2") TAG("a", "")), "<Key>a</Key><Value></Value></Tag><Tag><Key>b" },
	{ "no tags", s3_bucket_tags_check, TAGS(""), "" },
	{ "tag twice", s3_bucket_tags_check, TAGS(TAG("a", "1") TAG("a", "2")), "InvalidTag" },
	{ "aws: tag", s3_bucket_tags_check, TAGS(TAG("AWS:a", "1")), "InvalidTag" },
	{ "tag without key", s3_bucket_tags_check, TAGS(TAG("", "1")), "InvalidTag" },
	{ "tag without value", s3_bucket_tags_check, TAGS("<Tag><Key>a</Key></Tag>"), "MalformedXML" },
	{ "block", s3_access_block_check, BLOCK("<BlockPublicAcls>TRUE</BlockPublicAcls><IgnorePublicAcls>0</IgnorePublicAcls>"),
	    "<BlockPublicAcls>true</BlockPublicAcls><IgnorePublicAcls>false</IgnorePublicAcls><BlockPublicPolicy>false</BlockPublicPolicy>" },
	{ "block word", s3_access_block_check, BLOCK("<BlockPublicAcls>maybe</BlockPublicAcls>"), "MalformedXML" },
	{ "block twice", s3_access_block_check, BLOCK("<BlockPublicAcls>true</BlockPublicAcls><BlockPublicAcls>true</BlockPublicAcls>"), "MalformedXML" },
	{ "owner", s3_ownership_check, OWNERSHIP(" ObjectWriter\n"), ">ObjectWriter<" },
	{ "enforced", s3_ownership_check, OWNERSHIP("BucketOwnerEnforced"), "" },
	{ "owner word", s3_ownership_check, OWNERSHIP("Writer"), "MalformedXML" },
	{ "owner two", s3_ownership_check, "<OwnershipControls/>", "MalformedXML" },
	{ "payer", s3_request_payment_check, "<RequestPaymentConfiguration><Payer>BucketOwner</Payer></RequestPaymentConfiguration>", "" },
	{ "no logging", s3_logging_check, "<BucketLoggingStatus/>", "" },
	{ "logging text", s3_logging_check, "<BucketLoggingStatus>x</BucketLoggingStatus>", "MalformedXML" },
	{ "logging", s3_logging_check, LOGGING(TO, "<TargetObjectKeyFormat><SimplePrefix/></TargetObjectKeyFormat>"), "<TargetPrefix>p/<" },
	{ "logging nowhere", s3_logging_check, LOGGING("", ""), "MalformedXML" },
	{ "logging without prefix", s3_logging_check, LOGGING("<TargetBucket>b</TargetBucket>", ""), "MalformedXML" },
	{ "logging no grants", s3_logging_check, LOGGING(TO, "<TargetGrants/>"), "<TargetGrants>" },
	{ "logging grants", s3_logging_check, LOGGING(TO, GRANTS(TO_USER("<DisplayName>n</DisplayName>", "READ") TO_GROUP("s3/LogDelivery", "READ_ACP"))),
	    "<TargetGrants><Grant><Grantee" XSI " xsi:type=\"CanonicalUser\"><ID>i</ID></Grantee><Permission>READ</Permission></Grant>"
	    "<Grant><Grantee" XSI " xsi:type=\"Group\"><URI>http://acs.amazonaws.com/groups/s3/LogDelivery</URI></Grantee><Permission>READ_ACP</Permission>" },
	{ "logging grants and format", s3_logging_check,
	    LOGGING("", GRANTS(TO_USER("", "FULL_CONTROL")) "<TargetObjectKeyFormat><SimplePrefix/></TargetObjectKeyFormat>" TO),
	    "</TargetGrants><TargetObjectKeyFormat><SimplePrefix></SimplePrefix></TargetObjectKeyFormat><TargetBucket>b<" },
	{ "logging grant of nothing", s3_logging_check, LOGGING(TO, GRANTS(TO_USER("", "ALL"))), "MalformedXML" },
	{ "logging grant to nobody", s3_logging_check, LOGGING(TO, GRANTS("<Grant><Permission>READ</Permission></Grant>")), "MalformedXML" },
	{ "logging grant to no id", s3_logging_check, LOGGING(TO, GRANTS("<Grant><Grantee/><Permission>READ</Permission></Grant>")), "MalformedXML" },
	{ "logging grant twice in one", s3_logging_check, LOGGING(TO, GRANTS("<Grant/>")), "MalformedXML" },
	{ "logging grant to a group", s3_logging_check, LOGGING(TO, GRANTS(TO_GROUP("global/Us", "READ"))), "InvalidArgument" },
	{ "logging grant by e-mail", s3_logging_check,
	    LOGGING(TO, GRANTS("<Grant><Grantee" XSI " xsi:type=\"AmazonCustomerByEmail\"><EmailAddress>a@b</EmailAddress></Grantee>"
		               "<Permission>READ</Permission></Grant>")), "UnresolvableGrantByEmailAddress" },
	{ "logging no format", s3_logging_check, LOGGING(TO, "<TargetObjectKeyFormat/>"), "MalformedXML" },
	{ "logging two formats", s3_logging_check,
	    LOGGING(TO, "<TargetObjectKeyFormat><SimplePrefix/><PartitionedPrefix/></TargetObjectKeyFormat>"), "MalformedXML" },
	{ "logging source", s3_logging_check, LOGGING(TO, BY("Now")), "MalformedXML" },
	{ "no notification", s3_notification_check, "<NotificationConfiguration> </NotificationConfiguration>", "" },
	{ "notification text", s3_notification_check, "<NotificationConfiguration>x</NotificationConfiguration>", "MalformedXML" },
	{ "notification", s3_notification_check, NOTIFY(QUEUE("w", "s3:ObjectCreated:*", "")),
	    "<Id>notification-1</Id><Queue>arn:aws:sqs:::w</Queue><Event>s3:ObjectCreated:*</Event></QueueConfiguration>" },
	{ "notification ids", s3_notification_check, NOTIFY(QUEUE("w", "s3:ObjectCreated:*", "") QUEUE("w", "s3:ObjectAcl:Put", "<Id>notification-1</Id>")),
	    "<Id>notification-1-1</Id>" },
	{ "notification topic", s3_notification_check,
	    NOTIFY("<TopicConfiguration><Topic> arn:aws-cn:sns:r:1:w </Topic><Event>s3:LifecycleTransition</Event></TopicConfiguration>"),
	    "<Topic>arn:aws-cn:sns:r:1:w</Topic>" },
	{ "notification filter", s3_notification_check, NOTIFY(QUEUE("w", "s3:ObjectAcl:Put", FILTER(" Suffix ", "&lt;a"))),
	    "<Filter><S3Key><FilterRule><Name>suffix</Name><Value>&lt;a</Value></FilterRule></S3Key></Filter>" },
	{ "notification event", s3_notification_check, NOTIFY(QUEUE("w", "s3:ObjectCreated", "")), "InvalidArgument" },
	{ "notification all", s3_notification_check, NOTIFY(QUEUE("w", "s3:*", "")), "InvalidArgument" },
	{ "notification no event", s3_notification_check,
	    NOTIFY("<QueueConfiguration><Queue>arn:aws:sqs:::w</Queue></QueueConfiguration>"), "MalformedXML" },
	{ "notification name", s3_notification_check, NOTIFY(QUEUE("a.b", "s3:ObjectAcl:Put", "")), "InvalidArgument" },
	{ "notification longer ARN", s3_notification_check, NOTIFY(QUEUE("w:x", "s3:ObjectAcl:Put", "")), "InvalidArgument" },
	{ "notification service", s3_notification_check,
	    NOTIFY("<QueueConfiguration><Queue>arn:aws:sns:::w</Queue><Event>s3:ObjectAcl:Put</Event></QueueConfiguration>"), "InvalidArgument" },
	{ "notification filter name", s3_notification_check, NOTIFY(QUEUE("w", "s3:ObjectAcl:Put", FILTER("infix", "a"))), "InvalidArgument" },
	{ "notification prefix twice", s3_notification_check,
	    NOTIFY(QUEUE("w", "s3:ObjectAcl:Put", "<Filter><S3Key>" BE("prefix", "a") BE("prefix", "b") "</S3Key></Filter>")), "InvalidArgument" },
	{ "notification id twice", s3_notification_check,
	    NOTIFY(QUEUE("w", "s3:ObjectAcl:Put", "<Id>i</Id>") QUEUE("w", "s3:ObjectCreated:Put", "<Id>i</Id>")), "InvalidArgument" },
	{ "notification overlap", s3_notification_check, NOTIFY(QUEUE("w", "s3:ObjectCreated:*", "") QUEUE("v", "s3:ObjectCreated:Copy", FILTER("prefix", "a"))),
	    "InvalidArgument" },
	{ "notification prefixes overlap", s3_notification_check,
	    NOTIFY(QUEUE("w", "s3:ObjectAcl:Put", FILTER("prefix", "a")) QUEUE("v", "s3:ObjectAcl:Put", FILTER("prefix", "ab"))), "InvalidArgument" },
	{ "notification prefix and suffix overlap", s3_notification_check,
	    NOTIFY(QUEUE("w", "s3:ObjectAcl:Put", FILTER("prefix", "a")) QUEUE("v", "s3:ObjectAcl:Put", FILTER("suffix", "b"))), "InvalidArgument" },
	{ "notification apart", s3_notification_check,
	    NOTIFY(QUEUE("w", "s3:ObjectAcl:Put", FILTER("suffix", "a")) QUEUE("v", "s3:ObjectAcl:Put", FILTER("suffix", "b"))), "<Id>notification-2<" },
	{ "notification function", s3_notification_check, NOTIFY("<CloudFunctionConfiguration><Id>x</Id></CloudFunctionConfiguration>"), "NotImplemented" },
	{ "notification bridge", s3_notification_check, NOTIFY("<EventBridgeConfiguration/>"), "NotImplemented" },
	{ "notification odd", s3_notification_check, NOTIFY("<Odd/>"), "MalformedXML" },
	{ "lifecycle", s3_lifecycle_check, LC("<Filter/><Expiration><Days>1</Days></Expiration>"), "<ID>rule-1</ID><Filter></Filter><Expiration>" },
	{ "lifecycle without an action", s3_lifecycle_check, LC("<Filter/>"), "InvalidRequest" },
	{ "lifecycle of nothing", s3_lifecycle_check, LC("<Expiration><Days>1</Days></Expiration>"), "MalformedXML" },
	{ "lifecycle day 0", s3_lifecycle_check, LC("<Filter/><Expiration><Days>0</Days></Expiration>"), "InvalidArgument" },
	{ "lifecycle date", s3_lifecycle_check, LC("<Filter/><Expiration><Date>2030-01-01T00:00:01Z</Date></Expiration>"), "InvalidArgument" },
	{ "lifecycle transition", s3_lifecycle_check, LC("<Filter/><Transition><Days>1</Days><StorageClass>GLACIER</StorageClass></Transition>"), "NotImplemented" },
	{ "website", s3_website_check, SITE(INDEX "<ErrorDocument><Key>e</Key></ErrorDocument>"), "<IndexDocument><Suffix>i</Suffix>" },
	{ "website of nothing", s3_website_check, SITE(""), "InvalidArgument" },
	{ "website index", s3_website_check, SITE("<IndexDocument><Suffix>a/i</Suffix></IndexDocument>"), "InvalidArgument" },
	{ "website index empty", s3_website_check, SITE("<IndexDocument/>"), "InvalidArgument" },
	{ "website error", s3_website_check, SITE(INDEX "<ErrorDocument><Key/></ErrorDocument>"), "MalformedXML" },
	{ "website all", s3_website_check, SITE("<RedirectAllRequestsTo><HostName>h</HostName></RedirectAllRequestsTo>"), "<HostName>h<" },
	{ "website all, no host", s3_website_check, SITE("<RedirectAllRequestsTo><HostName/></RedirectAllRequestsTo>"), "InvalidRequest" },
	{ "website all and index", s3_website_check, SITE("<RedirectAllRequestsTo><HostName>h</HostName></RedirectAllRequestsTo>" INDEX),
	    "InvalidArgument" },
	{ "website rule", s3_website_check, ROUTES(ROUTE("", "<HttpRedirectCode>307</HttpRedirectCode>")), ">307<" },
	{ "website rule 300", s3_website_check, ROUTES(ROUTE("", "<HttpRedirectCode>300</HttpRedirectCode>")), "InvalidRequest" },
	{ "website rule 4xx", s3_website_check, ROUTES(ROUTE("", "<HttpRedirectCode>404</HttpRedirectCode>")), "InvalidRequest" },
	{ "website rule word", s3_website_check, ROUTES(ROUTE("", "<HttpRedirectCode>x</HttpRedirectCode>")), "MalformedXML" },
	{ "website rule protocol", s3_website_check, ROUTES(ROUTE("", "<Protocol>ftp</Protocol>")), "InvalidRequest" },
	{ "website rule both", s3_website_check, ROUTES(ROUTE("", "<ReplaceKeyWith>a</ReplaceKeyWith><ReplaceKeyPrefixWith/>")), "InvalidRequest" },
	{ "website condition", s3_website_check, ROUTES(ROUTE("<Condition/>", "<HostName>h</HostName>")), "InvalidRequest" },
	{ "website condition 600", s3_website_check,
	    ROUTES(ROUTE("<Condition><HttpErrorCodeReturnedEquals>600</HttpErrorCodeReturnedEquals></Condition>", "")), "InvalidRequest" },
	{ "website no rule", s3_website_check, ROUTES(""), "MalformedXML" },
	{ "requester", s3_request_payment_check, "<RequestPaymentConfiguration><Payer>Requester</Payer></RequestPaymentConfiguration>", "NotImplemented" },
	{ "accelerate", s3_accelerate_check, "<AccelerateConfiguration><Status>Enabled</Status></AccelerateConfiguration>", "NotImplemented" },
};

START_TEST(test_check)
{
	struct s3_problem pr = { 0 };
	const char *stored = NULL, *again = NULL;
	int rc = checks[_i].check(arena, span_of(checks[_i].given), &stored, &pr);
	const char *want = checks[_i].want;

	if (rc != 0) {
		ck_assert_msg(strcmp(help_code(&pr), want) == 0, "%s: %s", checks[_i].name, help_code(&pr));
		return;
	}
	ck_assert_msg(want[0] == '<' || want[0] == '>' || want[0] == '\0', "%s was taken", checks[_i].name);
	ck_assert_msg(want[0] == '\0' ? stored == NULL : strstr(stored, want) != NULL, "%s: %s", checks[_i].name, stored);
	if (stored == NULL)
		return;
	/* What Get answers can be put again, and is the same. */
	ck_assert_int_eq(checks[_i].check(arena, span_of(stored), &again, &pr), 0);
	ck_assert_str_eq(again, stored);
}
END_TEST

/* ---- CORS: which rule is met ---- */

static const char rules[] = "<CORSConfiguration>"
    "<CORSRule><AllowedOrigin>http://*.a.org</AllowedOrigin><AllowedOrigin>null</AllowedOrigin><AllowedMethod>GET</AllowedMethod><AllowedMethod>PUT</AllowedMethod>"
    "<AllowedHeader>x-amz-*</AllowedHeader><AllowedHeader>Content-Type</AllowedHeader><ExposeHeader>ETag</ExposeHeader><ExposeHeader>X-A</ExposeHeader>"
    "<MaxAgeSeconds>7</MaxAgeSeconds></CORSRule>"
    "<CORSRule><AllowedOrigin>start*end</AllowedOrigin><AllowedMethod>DELETE</AllowedMethod></CORSRule>"
    "<CORSRule><AllowedOrigin>*</AllowedOrigin><AllowedMethod>HEAD</AllowedMethod></CORSRule></CORSConfiguration>";

static const struct {
	const char *origin, *method, *headers;
	const char *want; /* origin|methods|headers|expose|age|credentials; NULL: no rule */
} meets[] = {
	{ "http://b.a.org", "GET", NULL, "http://b.a.org|GET, PUT|-|ETag, X-A|7|1" },
	{ "http://.a.org", "PUT", "X-AMZ-Date,content-type", "http://.a.org|GET, PUT|x-amz-date, content-type|ETag, X-A|7|1" },
	{ "null", "GET", NULL, "null|GET, PUT|-|ETag, X-A|7|1" },
	{ "http://a.org", "GET", NULL, NULL },
	{ "HTTP://b.a.org", "GET", NULL, NULL },
	{ "http://b.a.org", "get", NULL, NULL },
	{ "http://b.a.org", "GET", "x-amz-a, x-b", NULL },
	{ "http://b.a.org", "DELETE", NULL, NULL },
	{ "startend", "DELETE", NULL, "startend|DELETE|-|-|-1|1" },
	{ "starend", "DELETE", NULL, NULL },
	{ "startend", "DELETE", "a", NULL },
	{ "http://b.a.org", "HEAD", NULL, "*|HEAD|-|-|-1|0" },
	{ "", "HEAD", NULL, "*|HEAD|-|-|-1|0" },
	{ "x", "HEAD", "", "*|HEAD|-|-|-1|0" },
};

START_TEST(test_cors_match)
{
	struct cors_request rq = { span_of(meets[_i].origin), span_of(meets[_i].method),
		meets[_i].headers == NULL ? (struct span){ NULL, 0 } : span_of(meets[_i].headers) };
	struct cors_answer a;
	bool met = s3_cors_match(arena, rules, &rq, &a);

	ck_assert_msg(met == (meets[_i].want != NULL), "%s %s", meets[_i].origin, meets[_i].method);
	if (met)
		ck_assert_str_eq(arena_printf(arena, "%s|%s|%s|%s|%d|%d", help_text(a.origin), a.methods, a.headers == NULL ? "-" : a.headers,
		    a.expose == NULL ? "-" : a.expose, (int)a.max_age_s, a.credentials), meets[_i].want);
}
END_TEST

START_TEST(test_cors_unreadable)
{
	struct cors_request rq = { SPAN("x"), SPAN("HEAD"), { NULL, 0 } };
	struct cors_answer a;

	ck_assert(!s3_cors_match(arena, "<CORSConfiguration>", &rq, &a));
	ck_assert(!s3_cors_match(arena, "", &rq, &a));
}
END_TEST

/* ---- tags as text ---- */

static const struct {
	const char *text, *want; /* as written again; or a code; "-": no tags */
} texts[] = {
	{ "a=1&b=2", "a=1&b=2" },
	{ "b=2&a=1", "a=1&b=2" },
	{ "a", "a=" },
	{ "a=b=c", "a=b%3Dc" },
	{ "a+b=%2B%20", "a%20b=%2B%20" },
	{ "", "-" },
	{ "&&", "-" },
	{ "a=%", "InvalidArgument" },
	{ "a=%2", "InvalidArgument" },
	{ "a=%zz", "InvalidArgument" },
	{ "a=1&a=2", "InvalidArgument" },
	{ "=1", "InvalidTag" },
	{ "aws:a=1", "InvalidTag" },
	{ "a=%ff", "InvalidTag" },
	{ "a&b&c&d&e&f&g&h&i&j", "a=&b=&c=&d=&e=&f=&g=&h=&i=&j=" },
	{ "a&b&c&d&e&f&g&h&i&j&k", "BadRequest" },
};

START_TEST(test_tags_text)
{
	struct s3_problem pr = { 0 };
	struct s3_tags tags;
	const char *text;

	if (s3_tags_from_text(arena, span_of(texts[_i].text), &tags, &pr) != 0) {
		ck_assert_msg(strcmp(help_code(&pr), texts[_i].want) == 0, "%s: %s", texts[_i].text, help_code(&pr));
		return;
	}
	text = s3_tags_text(arena, &tags);
	ck_assert_str_eq(text == NULL ? "-" : text, texts[_i].want);
}
END_TEST

START_TEST(test_tags_xml)
{
	struct s3_problem pr = { 0 };
	struct s3_tags tags;
	struct strbuf sb;

	ck_assert_int_eq(s3_tags_from_text(arena, SPAN("b=%3C&a=x"), &tags, &pr), 0);
	strbuf_init(&sb, arena, 4096);
	s3_tags_xml(&sb, &tags);
	ck_assert_str_eq(strbuf_cstr(&sb), XML_DECLARATION "<Tagging xmlns=\"" XML_S3_NS "\"><TagSet>"
	    "<Tag><Key>a</Key><Value>x</Value></Tag><Tag><Key>b</Key><Value>&lt;</Value></Tag></TagSet></Tagging>");
	ck_assert_str_eq(help_text(s3_tags_get(&tags, SPAN("b"))), "<");
	/* One that is stored is read; one that comes in is refused. */
	ck_assert_int_eq(s3_tags_from_xml(arena, (struct span){ sb.buf, sb.len }, S3_OBJECT_TAGS_MAX, &tags, &pr), -1);
	ck_assert_int_eq(pr.code, S3_InvalidTag);
	ck_assert_int_eq(s3_tags_from_xml(arena, SPAN("<Tagging><TagSet><Tag><Key>b</Key><Value>+</Value></Tag></TagSet></Tagging>"), S3_OBJECT_TAGS_MAX,
	    &tags, &pr), 0);
	ck_assert_ptr_null(s3_tags_get(&tags, SPAN("c")).p);
}
END_TEST

/* ---- access blocks and ownership, as they are read ---- */

START_TEST(test_block_read)
{
	struct s3_access_block b;

	s3_access_block_read(arena, NULL, &b);
	ck_assert(!b.block_acls && !b.ignore_acls && !b.block_policy && !b.restrict_buckets);
	s3_access_block_read(arena, BLOCK("<RestrictPublicBuckets>1</RestrictPublicBuckets>"), &b);
	ck_assert(!b.block_acls && !b.ignore_acls && !b.block_policy && b.restrict_buckets);
	s3_access_block_read(arena, "what is this", &b);
	ck_assert(b.block_acls && b.ignore_acls && b.block_policy && b.restrict_buckets);
}
END_TEST

START_TEST(test_ownership_read)
{
	for (int o = S3_OWNER_ENFORCED; o <= S3_OWNER_WRITER; o++)
		ck_assert_int_eq(s3_ownership_read(arena, s3_ownership_document(arena, (enum s3_ownership)o)), o);
	ck_assert_int_eq(s3_ownership_read(arena, "what is this"), S3_OWNER_ENFORCED);
	ck_assert_int_eq(s3_ownership_read(arena, NULL), S3_OWNER_ENFORCED);
	ck_assert_int_eq(s3_ownership_read(arena, S3_OWNERSHIP_NONE), S3_OWNER_WRITER);
}
END_TEST

/* ---- access control lists ---- */

static const struct acl_subject of_object = { false, { "w", "Writer" }, { "b", "Bucket's" } };
static const struct acl_subject of_bucket = { true, { "b", "Bucket's" }, { "b", "Bucket's" } };

/* "w:15 *:1": grantee and permission; * everybody, @ who is known, # log delivery. */
static const char *
acl_summary(const struct acl *acl)
{
	struct strbuf sb;

	strbuf_init(&sb, arena, 8192);
	for (size_t i = 0; i < acl->n; i++)
		strbuf_printf(&sb, "%s%s:%d", i == 0 ? "" : " ", acl->v[i].grantee == ACL_USER ? acl->v[i].id : acl->v[i].grantee == ACL_EVERYBODY ? "*" :
		    acl->v[i].grantee == ACL_AUTHENTICATED ? "@" : "#", acl->v[i].permission);
	return strbuf_cstr(&sb);
}

static const struct {
	const char *headers, *want; /* a summary, or a code */
} acl_headers[] = {
	{ "a: b", "" },
	{ "x-amz-acls: private\nx-amz-grant: id=x\nx-amz-meta-x-amz-acl: private", "" },
	{ "X-AMZ-ACL: private", "w:15" },
	{ "x-amz-acl: private", "w:15" },
	{ "x-amz-acl: public-read", "*:1 w:15" },
	{ "x-amz-acl: public-read-write", "*:1 *:2 w:15" },
	{ "x-amz-acl: authenticated-read", "@:1 w:15" },
	{ "x-amz-acl: bucket-owner-read", "w:15 b:1" },
	{ "x-amz-acl: bucket-owner-full-control", "w:15 b:15" },
	{ "x-amz-acl: log-delivery-write", "InvalidArgument" },
	{ "x-amz-acl: Private", "InvalidArgument" },
	{ "x-amz-acl: aws-exec-read", "NotImplemented" },
	{ "x-amz-grant-write: id=x\nX-Amz-Grant-Read: id=\"y\", uri=\"http://acs.amazonaws.com/groups/global/AllUsers\"", "y:1 *:1 x:2" },
	{ "x-amz-grant-full-control: ID = z , id=q", "z:15 q:15" },
	{ "x-amz-grant-read: id=x\nx-amz-acl: private", "InvalidRequest" },
	{ "x-amz-grant-read: x", "InvalidArgument" },
	{ "x-amz-grant-read: id=", "InvalidArgument" },
	{ "x-amz-grant-read: uri=http://example.org", "InvalidArgument" },
	{ "x-amz-grant-read: emailAddress=\"a@b\"", "UnresolvableGrantByEmailAddress" },
	{ "x-amz-grant-read: who=x", "InvalidArgument" },
};

START_TEST(test_acl_headers)
{
	struct s3_headers h = help_headers(acl_headers[_i].headers);
	struct s3_problem pr = { 0 };
	struct span word;
	struct acl acl;

	ck_assert_int_eq(acl_in_headers(&h), acl_headers[_i].want[0] != '\0');
	if (acl_from_headers(arena, &of_object, &h, &word, &acl, &pr) != 0)
		ck_assert_msg(strcmp(help_code(&pr), acl_headers[_i].want) == 0, "%s: %s", acl_headers[_i].headers, help_code(&pr));
	else
		ck_assert_str_eq(acl_summary(&acl), acl_headers[_i].want);
}
END_TEST

#define USER(id) "<Grantee" XSI " xsi:type=\"CanonicalUser\"><ID>" id "</ID></Grantee>"
#define GROUP(uri) "<Grantee" XSI " xsi:type=\"Group\"><URI>" uri "</URI></Grantee>"
#define GRANT(who, what) "<Grant>" who "<Permission>" what "</Permission></Grant>"
#define LIST(owner, grants) "<AccessControlPolicy><Owner><ID>" owner "</ID></Owner><AccessControlList>" grants "</AccessControlList></AccessControlPolicy>"
static const struct {
	const char *doc, *want;
} acl_docs[] = {
	{ LIST("w", ""), "" },
	{ LIST("w", GRANT(USER("x"), "READ") GRANT(GROUP("http://acs.amazonaws.com/groups/global/AllUsers"), "FULL_CONTROL")), "x:1 *:15" },
	{ LIST("w", GRANT("<Grantee><ID>x</ID></Grantee>", "WRITE_ACP")), "x:8" },
	{ LIST("w", GRANT(GROUP("http://acs.amazonaws.com/groups/s3/LogDelivery"), "READ_ACP")), "#:4" },
	{ LIST("x", ""), "InvalidArgument" },
	{ LIST("0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef", ""), "AccessDenied" },
	{ LIST("w", GRANT(USER("x"), "READ_ALL")), "MalformedACLError" },
	{ LIST("w", GRANT("<Grantee/>", "READ")), "MalformedACLError" },
	{ LIST("w", GRANT(USER(""), "READ")), "InvalidArgument" },
	{ LIST("w", GRANT(GROUP("x"), "READ")), "InvalidArgument" },
	{ LIST("w", GRANT("<Grantee" XSI " xsi:type=\"Group\"><ID>x</ID></Grantee>", "READ")), "MalformedACLError" },
	{ LIST("w", GRANT("<Grantee" XSI " xsi:type=\"AmazonCustomerByEmail\"><EmailAddress>x</EmailAddress></Grantee>", "READ")), "UnresolvableGrantByEmailAddress" },
	{ LIST("w", "<Grant><Permission>READ</Permission></Grant>"), "MalformedACLError" },
	{ "<AccessControlPolicy><AccessControlList/></AccessControlPolicy>", "MalformedACLError" },
	{ "", "MalformedACLError" },
};

START_TEST(test_acl_xml)
{
	struct s3_problem pr = { 0 };
	struct acl acl, again;
	struct strbuf sb;

	if (acl_from_xml(arena, &of_object, span_of(acl_docs[_i].doc), &acl, &pr) != 0) {
		ck_assert_msg(strcmp(help_code(&pr), acl_docs[_i].want) == 0, "%s: %s", acl_docs[_i].doc, help_code(&pr));
		return;
	}
	ck_assert_str_eq(acl_summary(&acl), acl_docs[_i].want);
	strbuf_init(&sb, arena, ACL_XML_MAX);
	acl_xml(&sb, &acl);
	acl_read(arena, &of_object, strbuf_cstr(&sb), &again);
	ck_assert_uint_eq(again.n, acl.n);
}
END_TEST

START_TEST(test_acl_read)
{
	static const struct {
		const char *stored;
		const struct acl_subject *s;
		const char *want;
	} rows[] = { { NULL, &of_object, "w:15" }, { "public-read", &of_bucket, "*:1 b:15" }, { "bucket-owner-read", &of_bucket, "b:15" },
		{ "log-delivery-write", &of_bucket, "#:2 #:4 b:15" }, { "nonsense", &of_object, "w:15" }, { "<AccessControlPolicy>", &of_object, "w:15" },
		{ LIST("x", GRANT(USER("y"), "READ")), &of_object, "w:15" } };

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct acl acl;

		acl_read(arena, rows[i].s, rows[i].stored, &acl);
		ck_assert_str_eq(acl_summary(&acl), rows[i].want);
	}
}
END_TEST

/* What a log's object gets: the owner has all, once; everybody nothing where that is blocked. */
START_TEST(test_acl_of_owner_with)
{
	const char *doc = LOGGING(TO, GRANTS(TO_USER("", "READ") TO_GROUP("global/AllUsers", "READ") TO_GROUP("global/AuthenticatedUsers", "WRITE")
	    TO_GROUP("s3/LogDelivery", "WRITE") TO_USER("", "FULL_CONTROL")));
	struct access_logging l;
	struct acl acl;

	ck_assert(access_logging_read(arena, doc, &l) && l.grants != NULL);
	ck_assert_str_eq(acl_summary(l.grants), "i:1 *:1 @:2 #:2 i:15");
	acl_of_owner_with(&of_bucket.owner, l.grants, false, &acl);
	ck_assert_str_eq(acl_summary(&acl), "b:15 i:1 *:1 @:2 #:2 i:15");
	acl_of_owner_with(&(struct acl_owner){ "i", "" }, l.grants, true, &acl);
	ck_assert_str_eq(acl_summary(&acl), "i:15 #:2");
}
END_TEST

START_TEST(test_logging_grants_that_fill_a_list)
{
	struct s3_problem pr = { 0 };
	const char *stored;

	for (int n = 99; n <= 101; n++) {
		struct strbuf sb;

		strbuf_init(&sb, arena, 65536);
		for (int i = 0; i < n; i++)
			strbuf_str(&sb, TO_USER("", "READ"));
		ck_assert_int_eq(s3_logging_check(arena, span_of(arena_printf(arena, LOGGING(TO, GRANTS("%s")), strbuf_cstr(&sb))), &stored, &pr),
		    n == 99 ? 0 : -1);
	}
	ck_assert_str_eq(help_code(&pr), "InvalidRequest");
}
END_TEST

START_TEST(test_acl_grants)
{
	struct acl acl;

	acl_read(arena, &of_object, "authenticated-read", &acl);
	ck_assert(acl_is_public(&acl) && acl_is_for_others(&acl, "w"));
	ck_assert(acl_grants(&acl, "w", ACL_FULL, true));
	ck_assert(acl_grants(&acl, "x", ACL_READ, false));
	ck_assert(!acl_grants(&acl, "x", ACL_READ, true));
	ck_assert(!acl_grants(&acl, "x", ACL_WRITE, false));
	ck_assert(!acl_grants(&acl, NULL, ACL_READ, false));
	acl_read(arena, &of_object, "public-read-write", &acl);
	ck_assert(acl_grants(&acl, NULL, ACL_WRITE, false));
	ck_assert(!acl_grants(&acl, NULL, ACL_READ_ACP, false));
	acl_read(arena, &of_object, "private", &acl);
	ck_assert(!acl_is_public(&acl) && !acl_is_for_others(&acl, "w"));
	ck_assert(!acl_grants(&acl, NULL, ACL_READ, false));
}
END_TEST

/* ---- lifecycle: which rule ends it, and when ---- */

#define RULE_OF(id, filter, days) "<Rule><ID>" id "</ID>" filter "<Status>Enabled</Status><Expiration><Days>" days "</Days></Expiration></Rule>"
#define HOUR INT64_C(3600000000)

static const struct {
	const char *key;
	int64_t size;
	const char *tags;
	int64_t mtime_us;
	const char *want; /* the header; "" none */
} ends[] = {
	{ "a/x", 1, "", 0, "expiry-date=\"Sat, 03 Jan 1970 00:00:00 GMT\", rule-id=\"a%2Fb\"" },
	{ "a/x", 1, "", HOUR, "expiry-date=\"Sun, 04 Jan 1970 00:00:00 GMT\", rule-id=\"a%2Fb\"" },
	{ "a/x", 1, "", 24 * HOUR, "expiry-date=\"Sun, 04 Jan 1970 00:00:00 GMT\", rule-id=\"a%2Fb\"" },
	{ "a/x", 1, "k=v&l=m", 0, "expiry-date=\"Fri, 02 Jan 1970 00:00:00 GMT\", rule-id=\"tagged\"" },
	{ "a/x", 1, "k=w", 0, "expiry-date=\"Sat, 03 Jan 1970 00:00:00 GMT\", rule-id=\"a%2Fb\"" },
	{ "a", 100, "", 0, "expiry-date=\"Sun, 11 Jan 1970 00:00:00 GMT\", rule-id=\"size\"" },
	{ "a", 10, "", 0, "" },
	{ "a", 101, "", 0, "" },
	{ "b", 1, "", 0, "" },
	{ "z", 1, "", 0, "" },
};

static const struct {
	int64_t from_us, days, day_us, want;
} afters[] = {
	{ 0, 1, LIFECYCLE_DAY_US, 24 * HOUR },
	{ 1, 1, LIFECYCLE_DAY_US, 48 * HOUR },
	{ 24 * HOUR, 2, LIFECYCLE_DAY_US, 72 * HOUR },
	{ 1, INT32_MAX, LIFECYCLE_DAY_US, INT64_MAX },
	{ 1, 3, 10000000, 30000001 },
	{ 1, INT32_MAX, 10000000, INT64_MAX },
};

START_TEST(test_lifecycle_after)
{
	ck_assert_int_eq(lifecycle_after(afters[_i].from_us, afters[_i].days, afters[_i].day_us), afters[_i].want);
}
END_TEST

START_TEST(test_lifecycle_header)
{
	static const char doc[] = "<LifecycleConfiguration>" RULE_OF("a/b", "<Prefix>a/</Prefix>", "2")
	    RULE_OF("tagged", "<Filter><And><Prefix>a</Prefix><Tag><Key>k</Key><Value>v</Value></Tag></And></Filter>", "1")
	    RULE_OF("size", "<Filter><And><ObjectSizeGreaterThan>10</ObjectSizeGreaterThan><ObjectSizeLessThan>101</ObjectSizeLessThan></And></Filter>", "10")
	    RULE_OF("far", "<Filter><Prefix>z</Prefix></Filter>", "2147483647")
	    "<Rule><ID>off</ID><Filter/><Status>Disabled</Status><Expiration><Days>1</Days></Expiration></Rule></LifecycleConfiguration>";
	struct s3_problem pr = { 0 };
	struct lifecycle lc;
	struct s3_tags tags;
	struct strbuf sb;

	lifecycle_read(arena, doc, &lc);
	ck_assert_uint_eq(lc.n, 5);
	ck_assert(lifecycle_wants_tags(&lc));
	ck_assert_int_eq(s3_tags_from_text(arena, span_of(ends[_i].tags), &tags, &pr), 0);
	strbuf_init(&sb, arena, 1024);
	ck_assert_int_eq(lifecycle_header(&sb, &lc, span_of(ends[_i].key), ends[_i].size, &tags, ends[_i].mtime_us), ends[_i].want[0] != '\0');
	ck_assert_str_eq(strbuf_cstr(&sb), ends[_i].want);
}
END_TEST

START_TEST(test_lifecycle_unreadable)
{
	struct lifecycle lc;

	lifecycle_read(arena, NULL, &lc);
	ck_assert_uint_eq(lc.n, 0);
	lifecycle_read(arena, "<LifecycleConfiguration>", &lc);
	ck_assert_uint_eq(lc.n, 0);
}
END_TEST

/* ---- website: which rule, and where to ---- */

static const struct {
	const char *rules, *key;
	int error;
	const char *want; /* the URL; "" no rule */
} routed[] = {
	{ ROUTE("", "<HostName>h</HostName>"), "a b", 0, "http://h/a%20b?q" },
	{ ROUTE("", "<HostName>h</HostName>"), "a", 404, "" },
	{ ROUTE("<Condition><KeyPrefixEquals>a/</KeyPrefixEquals></Condition>", "<ReplaceKeyPrefixWith>b/</ReplaceKeyPrefixWith>"), "a/a/c", 0,
	    "http://w:1/b/a/c?q" },
	{ ROUTE("<Condition><KeyPrefixEquals>a/</KeyPrefixEquals></Condition>", "<ReplaceKeyPrefixWith/>"), "a/c", 0, "http://w:1/c?q" },
	{ ROUTE("<Condition><KeyPrefixEquals>a/</KeyPrefixEquals></Condition>", ""), "b/a/", 0, "" },
	{ ROUTE("<Condition><HttpErrorCodeReturnedEquals>404</HttpErrorCodeReturnedEquals></Condition>",
	      "<Protocol>https</Protocol><ReplaceKeyWith>#!/ \xc3\xbc</ReplaceKeyWith>"), "k", 404, "https://w:1/#!/%20%C3%BC?q" },
	{ ROUTE("<Condition><HttpErrorCodeReturnedEquals>404</HttpErrorCodeReturnedEquals></Condition>", ""), "k", 403, "" },
	{ ROUTE("<Condition><HttpErrorCodeReturnedEquals>404</HttpErrorCodeReturnedEquals><KeyPrefixEquals>x</KeyPrefixEquals></Condition>", "")
	    ROUTE("<Condition><HttpErrorCodeReturnedEquals>404</HttpErrorCodeReturnedEquals></Condition>", "<HostName>a&#10;b: c</HostName>"),
	    "k", 404, "http://a%0Ab:%20c/k?q" },
};

START_TEST(test_website_rules)
{
	const char *doc = arena_printf(arena, ROUTES("%s"), routed[_i].rules);
	struct website_request rq = { "http", SPAN("w:1"), span_of(routed[_i].key), SPAN("q") };
	const struct website_rule *rule;
	struct website w;
	struct strbuf sb;

	strbuf_init(&sb, arena, 1024);
	ck_assert(website_read(arena, doc, &w));
	rule = website_match(&w, rq.key, routed[_i].error);
	if (rule != NULL)
		website_location(&sb, &rule->to, rule->prefix, &rq);
	ck_assert_str_eq(strbuf_cstr(&sb), routed[_i].want);
}
END_TEST

START_TEST(test_website_read)
{
	struct strbuf sb;
	struct website w;

	ck_assert(website_read(arena, SITE(INDEX "<ErrorDocument><Key>e</Key></ErrorDocument>"), &w));
	ck_assert(!w.all && span_eq(w.index, SPAN("i")) && span_eq(w.error, SPAN("e")) && w.n_rules == 0);
	ck_assert(website_read(arena, SITE(INDEX), &w) && w.error.p == NULL);
	ck_assert(!website_read(arena, SITE(""), &w));
	strbuf_init(&sb, arena, 64);
	website_folder(&sb, SPAN("a/b c"));
	ck_assert_str_eq(strbuf_cstr(&sb), "/a/b%20c/");
}
END_TEST

/* ---- access logging: keys, operations, lines ---- */

static const struct {
	const char *more, *want;
} log_keys[] = {
	{ "", "p/2019-02-06-01-02-03-U" },
	{ BY("EventTime"), "p/own/eu/src/2019/02/05/2019-02-05-00-00-00-U" },
	{ BY("DeliveryTime"), "p/own/eu/src/2019/02/06/2019-02-06-01-02-03-U" },
};

START_TEST(test_access_key)
{
	struct access_object o = { "own", "eu", "src", INT64_C(1549324800000000), INT64_C(1549414923000000), "U" };
	const char *doc = arena_printf(arena, LOGGING(TO, "%s"), log_keys[_i].more);
	struct access_logging l;
	struct strbuf sb;

	strbuf_init(&sb, arena, 1024);
	ck_assert(access_logging_read(arena, doc, &l));
	ck_assert(span_eq(l.bucket, SPAN("b")));
	access_object_key(&sb, &l, &o);
	ck_assert_str_eq(strbuf_cstr(&sb), log_keys[_i].want);
}
END_TEST

static const struct {
	const char *method;
	enum s3_op op;
	bool website;
	const char *key, *want;
} log_ops[] = {
	{ "GET", OP_GetObject, false, "k", "REST.GET.OBJECT" },
	{ "GET", OP_GetObject, true, "k", "WEBSITE.GET.OBJECT" },
	{ "PUT", OP_CopyObject, false, "k", "REST.COPY.OBJECT" },
	{ "PUT", OP_UploadPartCopy, false, "k", "REST.COPY.PART" },
	{ "PUT", OP_UploadPart, false, "k", "REST.PUT.PART" },
	{ "POST", OP_CreateMultipartUpload, false, "k", "REST.POST.UPLOADS" },
	{ "POST", OP_CompleteMultipartUpload, false, "k", "REST.POST.UPLOAD" },
	{ "POST", OP_DeleteObjects, false, "", "REST.POST.MULTI_OBJECT_DELETE" },
	{ "GET", OP_ListObjectsV2, false, "", "REST.GET.BUCKET" },
	{ "GET", OP_ListObjectVersions, false, "", "REST.GET.BUCKETVERSIONS" },
	{ "GET", OP_GetBucketLogging, false, "", "REST.GET.LOGGING_STATUS" },
	{ "GET", OP_GetBucketVersioning, false, "", "REST.GET.VERSIONING" },
	{ "PUT", OP_PutPublicAccessBlock, false, "", "REST.PUT.PUBLIC_ACCESS_BLOCK" },
	{ "GET", OP_GetObjectTagging, false, "k", "REST.GET.OBJECT_TAGGING" },
	{ "OPTIONS", OP_CorsPreflight, false, "k", "REST.OPTIONS.PREFLIGHT" },
	{ "BREW", OP_NONE, false, "", "REST.OTHER.BUCKET" },
};

START_TEST(test_access_operation)
{
	struct access_record r = { .op = log_ops[_i].op, .website = log_ops[_i].website, .method = span_of(log_ops[_i].method),
		.key = span_of(log_ops[_i].key) };
	struct strbuf sb;

	strbuf_init(&sb, arena, 1024);
	access_operation(&sb, &r);
	ck_assert_str_eq(strbuf_cstr(&sb), log_ops[_i].want);
}
END_TEST

START_TEST(test_access_line)
{
	struct access_record r = { .owner = "own", .bucket = "src", .time_us = INT64_C(1549411238000000), .remote_ip = "192.0.2.3",
		.requester = "who", .request_id = "3E57", .op = OP_GetObject, .method = SPAN("GET"), .key = SPAN("a b\n"),
		.target = SPAN("/src/a%20b?\"x"), .protocol = SPAN("HTTP/2.0"), .status = 206, .bytes_sent = 113, .object_size = 0,
		.total_us = 7999, .first_us = 3000, .user_agent = SPAN("a \"b\"\r\n"), .version = SPAN("v w"), .host_id = "id=",
		.auth = "AuthHeader", .is_signed = true, .host = SPAN("h"), .tls = "TLSv1.3", .source_region = "us" };
	struct access_record key = { .owner = "own", .bucket = "src", .op = OP_DeleteObjects, .batch = true, .key = SPAN("k"),
		.method = SPAN("POST"), .status = 204, .bytes_sent = -1, .object_size = -1, .total_us = -1, .first_us = -1 };
	struct access_record none = { .owner = "own", .bucket = "src", .op = OP_NONE, .method = SPAN("GET"), .target = SPAN("/"),
		.object_size = -1, .first_us = -1 };
	struct strbuf sb;

	strbuf_init(&sb, arena, ACCESS_LINE_MAX);
	access_line(&sb, &r);
	ck_assert_str_eq(strbuf_cstr(&sb), "own src [06/Feb/2019:00:00:38 +0000] 192.0.2.3 who 3E57 REST.GET.OBJECT a%20b%0A "
	    "\"GET /src/a%20b?%22x HTTP/2.0\" 206 - 113 0 7 3 \"-\" \"a %22b%22%0D%0A\" v%20w id= SigV4 - AuthHeader h TLSv1.3 - - us\n");
	strbuf_clear(&sb);
	access_line(&sb, &key);
	ck_assert_str_eq(strbuf_cstr(&sb), "own src [01/Jan/1970:00:00:00 +0000] - - - BATCH.DELETE.OBJECT k - 204 - - - - - \"-\" \"-\" "
	    "- - - - - - - - - -\n");
	strbuf_clear(&sb);
	access_line(&sb, &none);
	ck_assert_str_eq(strbuf_cstr(&sb), "own src [01/Jan/1970:00:00:00 +0000] - - - REST.GET.BUCKET - \"GET / HTTP/1.1\" - - - - 0 - "
	    "\"-\" \"-\" - - - - - - - - - -\n");
}
END_TEST

/* ---- notifications ---- */

static const struct {
	const char *event, *key, *want; /* the configuration's Id, or NULL */
} told[] = {
	{ "ObjectCreated:Put", "in/a.txt", "txt" },
	{ "ObjectCreated:Copy", "in/.txt", "txt" },
	{ "ObjectCreated:Put", "in/a.jpg", NULL },
	{ "ObjectCreated:Put", "a.txt", NULL },
	{ "ObjectCreated:Put", "", NULL },
	{ "ObjectRemoved:Delete", "in/a.txt", NULL },
	{ "ObjectRemoved:DeleteMarkerCreated", "x", "rest" },
	{ "LifecycleExpiration:Delete", "x", "rest" },
	{ "LifecycleExpiration", "x", NULL },
};

START_TEST(test_notification_match)
{
	struct notification_configs c;
	const struct notification_config *m;

	notification_read(arena, NOTIFY(
	    QUEUE("w", "s3:ObjectCreated:*", "<Id>txt</Id><Filter><S3Key>" BE("prefix", "in/") BE("suffix", ".txt") "</S3Key></Filter>")
	    QUEUE("w", "s3:ObjectRemoved:DeleteMarkerCreated", "<Id>rest</Id><Event>s3:LifecycleExpiration:*</Event>")), &c);
	ck_assert_uint_eq(c.n, 2);
	m = notification_match(&c, told[_i].event, span_of(told[_i].key));
	ck_assert(told[_i].want == NULL ? m == NULL : m != NULL && span_eq(m->id, span_of(told[_i].want)));
	notification_read(arena, "<Odd/>", &c);
	ck_assert_uint_eq(c.n, 0);
}
END_TEST

START_TEST(test_notification_json)
{
	struct notification_event e = { .event = "ObjectCreated:Put", .config_id = "i\"", .region = "eu", .bucket = "b", .owner_id = "own",
		.principal = "AK", .address = "192.0.2.3", .request_id = "RID", .host_id = "HID", .at_us = INT64_C(1549411238123456),
		.number = 0x1234abcd, .key = SPAN("a b/\xc3\xbc+"), .version = "v", .etag = "e", .size = 5 };

	ck_assert_str_eq(notification_json(arena, &e, 1),
	    "{\"Records\":[{\"eventVersion\":\"2.1\",\"eventSource\":\"aws:s3\",\"awsRegion\":\"eu\",\"eventTime\":\"2019-02-06T00:00:38.123Z\","
	    "\"eventName\":\"ObjectCreated:Put\",\"userIdentity\":{\"principalId\":\"AK\"},\"requestParameters\":{\"sourceIPAddress\":\"192.0.2.3\"},"
	    "\"responseElements\":{\"x-amz-request-id\":\"RID\",\"x-amz-id-2\":\"HID\"},\"s3\":{\"s3SchemaVersion\":\"1.0\",\"configurationId\":\"i\\\"\","
	    "\"bucket\":{\"name\":\"b\",\"ownerIdentity\":{\"principalId\":\"own\"},\"arn\":\"arn:aws:s3:::b\"},"
	    "\"object\":{\"key\":\"a+b/%C3%BC%2B\",\"sequencer\":\"00000000001234ABCD\",\"size\":5,\"eTag\":\"e\",\"versionId\":\"v\"}}}]}");
	e.etag = e.version = NULL;
	ck_assert_ptr_nonnull(strstr(notification_json(arena, &e, 1), "\"object\":{\"key\":\"a+b/%C3%BC%2B\",\"sequencer\":\"00000000001234ABCD\"}}}]}"));
	ck_assert_str_eq(notification_test_json(arena, &e), "{\"Service\":\"Amazon S3\",\"Event\":\"s3:TestEvent\",\"Time\":\"2019-02-06T00:00:38.123Z\","
	    "\"Bucket\":\"b\",\"RequestId\":\"RID\",\"HostId\":\"HID\"}");
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("bucket_configs");
	TCase *tc = tcase_create("all");

	tcase_add_checked_fixture(tc, help_begin, help_end);
	tcase_add_loop_test(tc, test_check, 0, (int)ARRAY_LEN(checks));
	tcase_add_loop_test(tc, test_cors_match, 0, (int)ARRAY_LEN(meets));
	tcase_add_test(tc, test_cors_unreadable);
	tcase_add_loop_test(tc, test_tags_text, 0, (int)ARRAY_LEN(texts));
	tcase_add_test(tc, test_tags_xml);
	tcase_add_test(tc, test_block_read);
	tcase_add_test(tc, test_ownership_read);
	tcase_add_loop_test(tc, test_acl_headers, 0, (int)ARRAY_LEN(acl_headers));
	tcase_add_loop_test(tc, test_acl_xml, 0, (int)ARRAY_LEN(acl_docs));
	tcase_add_loop_test(tc, test_lifecycle_after, 0, (int)ARRAY_LEN(afters));
	tcase_add_loop_test(tc, test_lifecycle_header, 0, (int)ARRAY_LEN(ends));
	tcase_add_test(tc, test_lifecycle_unreadable);
	tcase_add_loop_test(tc, test_website_rules, 0, (int)ARRAY_LEN(routed));
	tcase_add_test(tc, test_website_read);
	tcase_add_loop_test(tc, test_access_key, 0, (int)ARRAY_LEN(log_keys));
	tcase_add_loop_test(tc, test_access_operation, 0, (int)ARRAY_LEN(log_ops));
	tcase_add_loop_test(tc, test_notification_match, 0, (int)ARRAY_LEN(told));
	tcase_add_test(tc, test_notification_json);
	tcase_add_test(tc, test_access_line);
	tcase_add_test(tc, test_acl_read);
	tcase_add_test(tc, test_acl_of_owner_with);
	tcase_add_test(tc, test_logging_grants_that_fill_a_list);
	tcase_add_test(tc, test_acl_grants);
	suite_add_tcase(s, tc);
	return suite_run(s);
}
