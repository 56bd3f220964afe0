<?php
// What a user of the generated PHP client writes; run with URL, user name and password.

require_once 'GuzzleHttp/autoload.php';
spl_autoload_register(function (string $class): void {
    $path = str_replace(['Signpost\\Client\\', '\\'], ['', '/'], $class);
    require_once __DIR__ . "/client/lib/$path.php";
});

use Signpost\Client\Api\PostsApi;
use Signpost\Client\Api\SignInApi;
use Signpost\Client\ApiException;
use Signpost\Client\Configuration;
use Signpost\Client\Model\PostInput;
use Signpost\Client\Model\PostPatch;
use Signpost\Client\Model\TokenRequest;

[, $url, $username, $password] = $argv;
$configuration = (new Configuration())->setHost("$url/api");

$grant = new TokenRequest(['grant_type' => 'password', 'username' => $username, 'password' => $password]);
$token = (new SignInApi(null, $configuration))->createToken($grant);
$configuration->setAccessToken($token->getAccessToken());

$posts = new PostsApi(null, $configuration);
$draft = new PostInput(['body' => '*Hello*', 'tags' => ['ÅÄÖ'], 'status' => 'published']);
$post = $posts->createPost($draft->setTitle('Grüße from PHP'));
$id = $post->getId();
echo "created {$post->getVersion()} {$post->getTitle()} ", json_encode($post->getTags(), JSON_UNESCAPED_UNICODE), "\n";

$page = $posts->listPosts(author: $username, sort: '-created_at', limit: 100);
$titles = [];
foreach ($page->getItems() as $each) {
    if ($each->getId() === $id) {
        $titles[] = $each->getTitle();
    }
}
echo 'listed ', json_encode($titles, JSON_UNESCAPED_UNICODE), "\n";

[, , $headers] = $posts->getPostWithHttpInfo($id);
$etag = $headers['etag'][0];
$changed = $posts->patchPost($id, new PostPatch(['title' => 'Changed from PHP']), if_match: $etag);
echo "patched {$changed->getVersion()} {$changed->getTitle()}\n";

function refused(callable $late): void
{
    try {
        $late();
    } catch (ApiException $error) {
        $problem = $error->getResponseObject();
        echo "refused {$problem->getStatus()} {$problem->getCode()}\n";
    }
}

refused(fn () => $posts->patchPost($id, new PostPatch(['title' => 'Too late']), if_match: $etag));
$posts->deletePost($id);
refused(fn () => $posts->getPost($id));
